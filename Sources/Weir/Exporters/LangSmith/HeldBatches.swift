/// Batches that wait until the ancestors of their spans are known. No clock, no I/O.
struct HeldBatches {
    private struct Held {
        let links: [SpanLink]
        /// Those whose ancestors are not all known.
        var open: [TraceKey: [SpanLink]]
        let bytes: Int
        var since: Timestamp
    }

    private var held: [Int: Held] = [:]
    private var byTrace: [TraceKey: Set<Int>] = [:]
    /// Nanoseconds for which a batch waits.
    private let grace: UInt64
    private let maxBytes: Int
    /// Each is an attempt under way, and others need some too.
    private let maxBatches: Int
    private var bytes = 0
    private(set) var spans = 0

    init(grace: Duration, maxBytes: Int, maxBatches: Int) {
        self.grace = UInt64(grace / .nanoseconds(1))
        self.maxBytes = maxBytes
        self.maxBatches = maxBatches
    }

    var isEmpty: Bool { held.isEmpty }

    var ids: [Int] { held.keys.sorted() }

    var isOverfull: Bool { bytes > maxBytes || held.count > maxBatches }

    /// - Parameter open: those of the links whose ancestors are not all known.
    mutating func add(_ id: Int, _ links: [SpanLink], _ open: [SpanLink], bytes: Int, since: Timestamp) {
        let open = Dictionary(grouping: open, by: \.trace)
        held[id] = Held(links: links, open: open, bytes: bytes, since: since)
        for trace in open.keys { byTrace[trace, default: []].insert(id) }
        self.bytes += bytes
        spans += links.count
    }

    /// - Returns: its links; nil where it does not wait.
    @discardableResult
    mutating func remove(_ id: Int) -> [SpanLink]? {
        guard let batch = held.removeValue(forKey: id) else { return nil }
        bytes -= batch.bytes
        spans -= batch.links.count
        for trace in batch.open.keys { forget(id, trace) }
        return batch.links
    }

    private mutating func forget(_ id: Int, _ trace: TraceKey) {
        byTrace[trace]?.remove(id)
        if byTrace[trace]?.isEmpty ?? false { byTrace[trace] = nil }
    }

    /// Spans of these traces have come. Of a batch the links are looked at up to the first that keeps it: what is
    /// looked at beyond that goes, so a batch that comes costs one look in vain for each that waits, however many links
    /// it has.
    /// - Returns: the batches that need not wait any more.
    mutating func released(by traces: Set<TraceKey>, _ index: TraceIndex) -> [Int] {
        var free: [Int] = []
        for trace in traces {
            for id in byTrace[trace] ?? [] {
                guard release(id, trace, index) else { continue }
                held[id]?.open[trace] = nil
                forget(id, trace)
                if held[id]?.open.isEmpty ?? false { free.append(id) }
            }
        }
        return free.sorted()
    }

    /// - Returns: whether nothing of the trace keeps the batch any more.
    private mutating func release(_ id: Int, _ trace: TraceKey, _ index: TraceIndex) -> Bool {
        while let link = held[id]?.open[trace]?.last {
            #if DEBUG
                StepCounter.step()
            #endif
            guard index.isComplete(link) else { return false }
            held[id]?.open[trace]?.removeLast()
        }
        return true
    }

    /// Whether one would have waited for long enough. A clock that was set back has it wait no longer than from now on.
    func isOver(since: Timestamp, at now: Timestamp) -> Bool {
        now >= since && now.nanoseconds - since.nanoseconds >= grace
    }

    /// Those that have waited for long enough.
    mutating func expired(at now: Timestamp) -> [Int] {
        for (id, batch) in held where batch.since > now { held[id]?.since = now }
        return held.filter { isOver(since: $0.value.since, at: now) }.keys.sorted()
    }

    var oldest: Int? { held.keys.min() }
}
