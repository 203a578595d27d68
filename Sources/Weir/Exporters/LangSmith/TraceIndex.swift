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
        /// The span whose run brings a stand-in for the root, 0 where none does.
        var bringer: UInt64 = 0
        /// The first that was named before the root was fixed. All runs of a trace have the same.
        var project: RunProject?
        /// A span without a parent was seen.
        var hasParentless = false
        var spans: [UInt64: Span] = [:]

        /// - Returns: whether it was not there before, and is now.
        mutating func add(_ link: SpanLink, batch: Int) -> Bool {
            if rootStart == nil, project == nil { project = link.project }
            if let place = spans.index(forKey: link.span) {
                // It comes once more, to be sent again.
                if batch != 0 { spans.values[place].batch = batch }
                return false
            }
            guard spans.count < TraceIndex.maxTraceSpans else { return false }
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
        guard young.index(forKey: key) == nil else { return }
        let trace = old.removeValue(forKey: key) ?? Trace()
        youngSpans += trace.spans.count
        tell(of: trace, key)
        young[key] = trace
    }

    private mutating func tell(of trace: Trace, _ key: TraceKey) {
        for (span, found) in trace.spans where found.isFixed {
            news.append(FixedPlace(key, span, found, trace.project))
        }
        if trace.root == 0, let start = trace.rootStart {
            news.append(FixedPlace(standIn: key, start: start, trace.project))
        }
    }

    /// All places that are fixed are news, for files that have none of them.
    mutating func tellAgain() {
        forgetNews()
        for (key, trace) in old { tell(of: trace, key) }
        for (key, trace) in young { tell(of: trace, key) }
    }

    /// A span was seen.
    /// - Parameter batch: a number for those that came with it.
    mutating func add(_ link: SpanLink, batch: Int = 0) {
        renew(link.trace)
        if young[link.trace, default: Trace()].add(link, batch: batch) { youngSpans += 1 }
    }

    /// Which batch brought the span above this one, or the stand-in for a root; 0 where that is not known.
    func batchAbove(_ link: SpanLink) -> Int {
        guard let trace = young[link.trace] ?? old[link.trace] else { return 0 }
        return trace.spans[link.parent == 0 ? trace.bringer : link.parent]?.batch ?? 0
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
        renew(link.trace)
        let (place, isNew) = young[link.trace, default: Trace()].place(link, &news)
        if isNew { youngSpans += 1 }
        return place
    }
}

// MARK: - Fixing

extension TraceIndex.Trace {
    /// - Returns: also whether the span was not there before, and is now.
    fileprivate mutating func place(_ link: SpanLink, _ news: inout [FixedPlace]) -> (RunPlace, isNew: Bool) {
        let isNew = add(link, batch: 0)
        if spans[link.span] == nil {
            // More than is remembered of one trace.
            let ids = RunIDs(link.trace)
            let brings = openRoot(link.trace, or: link.start, &news)
            let start = max(link.start, rootStart ?? 0)
            let place = RunPlace(
                path: [step(ids), .init(id: ids.run(of: link.span), start: start)], isOrphan: true, bringsRoot: brings,
                project: project)
            return (place, false)
        }
        fix(link.span, link.trace, &news)
        return (path(to: link.span, link.trace), isNew)
    }

    private func step(_ ids: RunIDs) -> RunPlace.Step {
        RunPlace.Step(id: ids.root, start: rootStart ?? 0)
    }

    private func path(to id: UInt64, _ key: TraceKey) -> RunPlace {
        let ids = RunIDs(key)
        let own = spans[id]
        var steps: [RunPlace.Step] = []
        steps.reserveCapacity((own?.depth ?? 0) + 1)
        var next = id
        while next != 0, let span = spans[next], !span.isRoot, steps.count <= TraceIndex.maxDepth {
            steps.append(RunPlace.Step(id: ids.run(of: next), start: span.start))
            next = span.parent
        }
        steps.append(step(ids))
        steps.reverse()
        return RunPlace(
            path: steps, isOrphan: own?.isOrphan ?? false, isPatch: own?.isPatch ?? false,
            bringsRoot: own?.bringsRoot ?? false, project: project)
    }

    private mutating func fix(_ id: UInt64, _ key: TraceKey, _ news: inout [FixedPlace]) {
        // From the span up to the first whose place is fixed, or above which nobody is known.
        var chain: [UInt64] = []
        var next = id
        while next != 0, let span = spans[next], !span.isFixed, chain.count < TraceIndex.maxDepth,
            !chain.contains(next)
        {
            chain.append(next)
            next = span.parent
        }
        for id in chain.reversed() {
            guard var span = spans[id] else { continue }
            let parent = spans[span.parent]
            if let parent, parent.isFixed, !parent.isRoot, parent.depth < TraceIndex.maxDepth {
                span.start = max(span.start, parent.start)
                span.depth = parent.depth + 1
            } else {
                elect(key, &news)
                if root == id { continue }
                span.isOrphan = span.parent != 0 && span.parent != root
                span.bringsRoot = openRoot(key, or: span.start, &news)
                if span.bringsRoot { bringer = id }
                span.parent = 0
                span.start = max(span.start, rootStart ?? 0)
                span.depth = 1
            }
            span.isFixed = true
            spans[id] = span
            news.append(FixedPlace(key, id, span, project))
        }
    }

    /// Makes the earliest span without a parent the root, where none is. If there is no such span, and no stand-in, it
    /// is the earliest of those that another program has called, of which nobody may ever hear.
    private mutating func elect(_ key: TraceKey, _ news: inout [FixedPlace]) {
        // Behind a stand-in only a span without a parent can come, and a trace may have many others until it does.
        guard root == 0, rootStart == nil || hasParentless else { return }
        #if DEBUG
            for _ in spans { StepCounter.step() }
        #endif
        let free = spans.filter { !$0.value.isFixed }
        var candidates = free.filter { $0.value.parent == 0 }
        if candidates.isEmpty, rootStart == nil {
            candidates = free.filter { $0.value.isEntry && spans[$0.value.parent] == nil }
        }
        let first = candidates.min { ($0.value.start, $0.key) < ($1.value.start, $1.key) }
        guard let id = first?.key, var span = first?.value else { return }
        span.isPatch = rootStart != nil
        span.isOrphan = span.parent != 0
        span.parent = 0
        span.start = rootStart ?? span.start
        span.isRoot = true
        span.isFixed = true
        rootStart = span.start
        root = id
        spans[id] = span
        news.append(FixedPlace(key, id, span, project))
    }

    /// Where the root is not known, its stand-in is.
    /// - Returns: whether it was not there before.
    private mutating func openRoot(_ key: TraceKey, or start: UInt64, _ news: inout [FixedPlace]) -> Bool {
        guard rootStart == nil else { return false }
        let first = min(start, spans.values.map(\.start).min() ?? start)
        rootStart = first
        news.append(FixedPlace(standIn: key, start: first, project))
        return true
    }
}

// MARK: - What was fixed before

extension TraceIndex {
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
        if span.bringsRoot { young[place.trace, default: Trace()].bringer = place.id }
        young[place.trace, default: Trace()].spans[place.id] = span
    }

    /// What was restored was not fixed now.
    mutating func forgetNews() {
        (news, hasTurned) = ([], false)
    }
}
