/// Batches that wait until the ancestors of their spans are known. No clock, no I/O.
struct HeldBatches {
    private struct Held {
        var links: [TraceKey: [SpanLink]]
        let bytes: Int
        let spans: Int
        let until: Timestamp
    }

    private var held: [Int: Held] = [:]
    private var byTrace: [TraceKey: Set<Int>] = [:]
    private let maxBytes: Int
    private var bytes = 0
    private(set) var spans = 0

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    var isOverfull: Bool { bytes > maxBytes }

    /// - Parameter links: those whose ancestors are not all known.
    mutating func add(_ id: Int, _ links: [SpanLink], bytes: Int, spans: Int, until: Timestamp) {
        let byTrace = Dictionary(grouping: links, by: \.trace)
        held[id] = Held(links: byTrace, bytes: bytes, spans: spans, until: until)
        for trace in byTrace.keys { self.byTrace[trace, default: []].insert(id) }
        self.bytes += bytes
        self.spans += spans
    }

    mutating func remove(_ id: Int) {
        guard let batch = held.removeValue(forKey: id) else { return }
        bytes -= batch.bytes
        spans -= batch.spans
        for trace in batch.links.keys { forget(id, trace) }
    }

    private mutating func forget(_ id: Int, _ trace: TraceKey) {
        byTrace[trace]?.remove(id)
        if byTrace[trace]?.isEmpty ?? false { byTrace[trace] = nil }
    }

    /// Spans of these traces have come.
    /// - Returns: the batches that need not wait any more.
    mutating func released(by traces: Set<TraceKey>, _ index: TraceIndex) -> [Int] {
        var free: [Int] = []
        for trace in traces {
            for id in byTrace[trace] ?? [] {
                held[id]?.links[trace]?.removeAll { index.isComplete($0) }
                guard held[id]?.links[trace]?.isEmpty ?? true else { continue }
                held[id]?.links[trace] = nil
                forget(id, trace)
                if held[id]?.links.isEmpty ?? false { free.append(id) }
            }
        }
        return free.sorted()
    }

    /// Those that have waited for long enough.
    func expired(at now: Timestamp) -> [Int] {
        held.filter { $0.value.until <= now }.keys.sorted()
    }

    var oldest: Int? { held.keys.min() }
}
