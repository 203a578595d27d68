/// What is remembered of an open trace, so that it can be decided without its spans.
struct TraceSummary: Equatable {
    /// Nanoseconds since 1970, by the clocks of the senders.
    private(set) var start = UInt64.max
    private(set) var end: UInt64 = 0
    private(set) var spans = 0
    /// As OTLP protobuf.
    private(set) var bytes = 0
    /// In 10⁻¹² USD.
    private(set) var cost: Int64 = 0
    /// The tests of policies that hold for a span, a bit each.
    private(set) var tests: UInt64 = 0
    /// By which the trace is compared with thresholds.
    private(set) var randomness: SamplingRandomness
    private var isExplicit = false

    /// What one span adds.
    struct Span {
        var start: UInt64 = 0
        var end: UInt64 = 0
        var bytes = 0
        var cost: Int64 = 0
        var tests: UInt64 = 0
        var isRoot = false
        /// The `rv` of its trace state.
        var randomness: SamplingRandomness?
    }

    init(_ randomness: SamplingRandomness) {
        self.randomness = randomness
    }

    mutating func add(_ span: Span) {
        start = min(start, span.start)
        end = max(end, span.end)
        spans += 1
        bytes += span.bytes
        let (sum, overflow) = cost.addingReportingOverflow(max(0, span.cost))
        cost = overflow ? .max : sum
        tests |= span.tests
        if let randomness = span.randomness, !isExplicit {
            self.randomness = randomness
            isExplicit = true
        }
    }

    /// From the first start to the last end; 0 where clocks say that it ended before it began.
    var duration: UInt64 { end > start ? end - start : 0 }
}
