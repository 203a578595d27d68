/// Remembers traces, so that each run gets a place in one valid tree, in whatever order its spans come. No clock, no
/// I/O.
///
/// LangSmith wants every run to name its ancestors and their starts, but spans come when they end, children first. A
/// span is *known* as soon as it was seen; its place is *fixed* when its run is first sent and never changes after
/// that, so that a retry is the same. The rules:
///
/// - The earliest span without a parent is the root, or the earliest that another program has called, if none comes.
///   Others like it are children of the root.
/// - A span whose parent is not known when it is sent becomes a child of the root.
/// - Where the root is not known either, the first run to be sent brings a stand-in for it, which is patched when the
///   root comes. It starts when the first known span of the trace did.
/// - No run starts before the one above it.
/// - All are in the project that was named first, before the root or its stand-in was fixed.
struct TraceIndex {
    struct Limits {
        /// Spans that are remembered at most; the traces that nobody asked about for longest go first.
        let spans: Int
        /// Half of the time for which a trace is remembered at least.
        let halfLife: Duration
    }

    /// Runs above a run. A span that is deeper is a child of the root.
    static let maxDepth = 128
    /// Spans of one trace that are remembered. LangSmith takes 25,000 runs of a trace.
    static let maxTraceSpans = 65_536

    struct Span {
        /// In the tree of runs once it is fixed, 0 for the root; before, as the span says, 0 for none.
        var parent: UInt64
        var start: UInt64
        var depth = 0
        /// Of the batch that brought it.
        var batch = 0
        /// Another program has called it.
        var isEntry = false
        /// Its run does not stand below that of its parent.
        var isOrphan = false
        var isFixed = false
        var isRoot = false
        var isPatch = false
        var bringsRoot = false
    }

    struct Trace {
        /// Nil where the root is not fixed.
        var rootStart: UInt64?
        /// 0 where the root has a start and no span.
        var root: UInt64 = 0
        /// The first that was named before the root was fixed. All runs of a trace have the same.
        var project: RunProject?
        /// A span without a parent was seen.
        var hasParentless = false
        var spans: [UInt64: Span] = [:]

        /// - Returns: whether it was not there before, and is now.
        mutating func add(_ link: SpanLink, batch: Int) -> Bool {
            if rootStart == nil, project == nil { project = link.project }
            guard spans[link.span] == nil, spans.count < TraceIndex.maxTraceSpans else { return false }
            spans[link.span] = Span(parent: link.parent, start: link.start, batch: batch, isEntry: link.isEntry)
            if link.parent == 0 { hasParentless = true }
            return true
        }
    }

    /// Traces that were asked about lately, and those that are forgotten next.
    private(set) var young: [TraceKey: Trace] = [:]
    private(set) var old: [TraceKey: Trace] = [:]
    private(set) var youngSpans = 0
    private var bornAt: Timestamp?
    /// Places that were fixed since they were last taken.
    private(set) var news: [FixedPlace] = []
    /// The young ones have become the old ones since the news were last taken.
    private(set) var hasTurned = false
    let limits: Limits

    init(_ limits: Limits) {
        self.limits = limits
    }

    /// Forgets what is old.
    mutating func turn(at now: Timestamp) {
        let born = bornAt ?? now
        bornAt = born
        let age = Duration.nanoseconds(Int64(now.nanoseconds) - Int64(born.nanoseconds))
        guard youngSpans > limits.spans / 2 || age > limits.halfLife else { return }
        old = young
        young = [:]
        youngSpans = 0
        bornAt = now
        hasTurned = true
    }

    mutating func takeNews() -> (places: [FixedPlace], hasTurned: Bool) {
        defer { (news, hasTurned) = ([], false) }
        return (news, hasTurned)
    }

    /// The trace is among the young ones after that.
    private mutating func renew(_ key: TraceKey) {
        guard young[key] == nil else { return }
        let trace = old.removeValue(forKey: key) ?? Trace()
        youngSpans += trace.spans.count
        for (span, found) in trace.spans where found.isFixed {
            news.append(FixedPlace(key, span, found, trace.project))
        }
        if trace.root == 0, let start = trace.rootStart {
            news.append(FixedPlace(standIn: key, start: start, trace.project))
        }
        young[key] = trace
    }

    /// A span was seen.
    /// - Parameter batch: a number for those that came with it.
    mutating func add(_ link: SpanLink, batch: Int = 0) {
        renew(link.trace)
        if young[link.trace, default: Trace()].add(link, batch: batch) { youngSpans += 1 }
    }

    /// Which batch brought the span above this one; 0 where that is not known.
    func batchAbove(_ link: SpanLink) -> Int {
        (young[link.trace] ?? old[link.trace])?.spans[link.parent]?.batch ?? 0
    }

    /// Whether all spans above it are known, or it is of no use to wait for them.
    func isComplete(_ link: SpanLink) -> Bool {
        guard let trace = young[link.trace] ?? old[link.trace], var span = trace.spans[link.span] else { return false }
        for _ in 0..<Self.maxDepth {
            if span.isFixed || span.parent == 0 { return true }
            guard let parent = trace.spans[span.parent] else { return false }
            span = parent
        }
        return true
    }

    /// Where the span's run stands, now and for ever.
    mutating func place(_ link: SpanLink) -> RunPlace {
        add(link)
        var trace = Trace()
        swap(&trace, &young[link.trace, default: Trace()])
        defer { swap(&trace, &young[link.trace, default: Trace()]) }
        if trace.spans[link.span] == nil {
            // More than is remembered of one trace.
            let ids = RunIDs(link.trace)
            let brings = openRoot(of: &trace, link.trace, or: link.start)
            let start = max(link.start, trace.rootStart ?? 0)
            return RunPlace(
                path: [step(to: trace, ids), .init(id: ids.run(of: link.span), start: start)],
                isOrphan: true, bringsRoot: brings, project: trace.project)
        }
        fix(link.span, in: &trace, link.trace)
        return path(to: link.span, in: trace, link.trace)
    }

    private func step(to trace: Trace, _ ids: RunIDs) -> RunPlace.Step {
        RunPlace.Step(id: ids.root, start: trace.rootStart ?? 0)
    }

    private func path(to id: UInt64, in trace: Trace, _ key: TraceKey) -> RunPlace {
        let ids = RunIDs(key)
        var steps: [RunPlace.Step] = []
        var next = id
        while next != 0, let span = trace.spans[next], !span.isRoot, steps.count <= Self.maxDepth {
            steps.append(RunPlace.Step(id: ids.run(of: next), start: span.start))
            next = span.parent
        }
        steps.append(step(to: trace, ids))
        let own = trace.spans[id]
        return RunPlace(
            path: steps.reversed(), isOrphan: own?.isOrphan ?? false, isPatch: own?.isPatch ?? false,
            bringsRoot: own?.bringsRoot ?? false, project: trace.project)
    }
}

// MARK: - Fixing

extension TraceIndex {
    private mutating func fix(_ id: UInt64, in trace: inout Trace, _ key: TraceKey) {
        // From the span up to the first whose place is fixed, or above which nobody is known.
        var chain: [UInt64] = []
        var next = id
        while next != 0, let span = trace.spans[next], !span.isFixed, chain.count < Self.maxDepth,
            !chain.contains(next)
        {
            chain.append(next)
            next = span.parent
        }
        for id in chain.reversed() {
            guard var span = trace.spans[id] else { continue }
            let parent = trace.spans[span.parent]
            if let parent, parent.isFixed, !parent.isRoot, parent.depth < Self.maxDepth {
                span.start = max(span.start, parent.start)
                span.depth = parent.depth + 1
            } else {
                elect(in: &trace, key)
                if trace.root == id { continue }
                span.isOrphan = span.parent != 0 && span.parent != trace.root
                span.bringsRoot = openRoot(of: &trace, key, or: span.start)
                span.parent = 0
                span.start = max(span.start, trace.rootStart ?? 0)
                span.depth = 1
            }
            span.isFixed = true
            trace.spans[id] = span
            news.append(FixedPlace(key, id, span, trace.project))
        }
    }

    /// Makes the earliest span without a parent the root, where none is. If there is no such span, and no stand-in, it
    /// is the earliest of those that another program has called, of which nobody may ever hear.
    private mutating func elect(in trace: inout Trace, _ key: TraceKey) {
        // Behind a stand-in only a span without a parent can come, and a trace may have many others until it does.
        guard trace.root == 0, trace.rootStart == nil || trace.hasParentless else { return }
        #if DEBUG
            for _ in trace.spans { StepCounter.step() }
        #endif
        let free = trace.spans.filter { !$0.value.isFixed }
        var candidates = free.filter { $0.value.parent == 0 }
        if candidates.isEmpty, trace.rootStart == nil {
            candidates = free.filter { $0.value.isEntry && trace.spans[$0.value.parent] == nil }
        }
        let first = candidates.min { ($0.value.start, $0.key) < ($1.value.start, $1.key) }
        guard let id = first?.key, var span = first?.value else { return }
        span.isPatch = trace.rootStart != nil
        span.isOrphan = span.parent != 0
        span.parent = 0
        span.start = trace.rootStart ?? span.start
        span.isRoot = true
        span.isFixed = true
        trace.rootStart = span.start
        trace.root = id
        trace.spans[id] = span
        news.append(FixedPlace(key, id, span, trace.project))
    }

    /// Where the root is not known, its stand-in is.
    /// - Returns: whether it was not there before.
    private mutating func openRoot(of trace: inout Trace, _ key: TraceKey, or start: UInt64) -> Bool {
        guard trace.rootStart == nil else { return false }
        let first = min(start, trace.spans.values.map(\.start).min() ?? start)
        trace.rootStart = first
        news.append(FixedPlace(standIn: key, start: first, trace.project))
        return true
    }

    /// What another process has fixed.
    mutating func restore(_ place: FixedPlace) {
        if let project = place.project { young[place.trace, default: Trace()].project = project }
        if let start = place.standInStart {
            young[place.trace, default: Trace()].rootStart = start
            return
        }
        var span = place.span
        if young[place.trace]?.spans[place.id] == nil { youngSpans += 1 }
        if span.isRoot {
            young[place.trace, default: Trace()].root = place.id
            young[place.trace]?.rootStart = span.start
        } else if span.parent != 0 {
            span.depth = (young[place.trace]?.spans[span.parent]?.depth ?? 0) + 1
        } else {
            span.depth = 1
        }
        young[place.trace, default: Trace()].spans[place.id] = span
    }

    /// What was restored was not fixed now.
    mutating func forgetNews() {
        (news, hasTurned) = ([], false)
    }
}
