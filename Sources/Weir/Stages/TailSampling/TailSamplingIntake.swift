/// Puts what a record has to say of its traces into the window. Its spans stay in the journal.
struct TailSamplingIntake: ~Copyable {
    private static let total = AttributeKey("weir.cost.total")

    private let tests: [SpanTest]
    /// The bits of the tests that there are.
    private let mask: UInt64
    /// Nil for one who tries policies out.
    private let telemetry: MatchTelemetry?
    private var batch = Batch(decodedLimit: .max)

    init(_ tests: [SpanTest], _ telemetry: MatchTelemetry? = nil) {
        self.tests = tests
        self.telemetry = telemetry
        mask = tests.count >= SpanTest.maximumCount ? .max : 1 << UInt64(tests.count) - 1
    }

    /// - Parameters:
    ///   - firstSeen: of traces that begin with this record.
    ///   - isKnown: whether its spans were added before, out of a record that it is a copy of.
    /// - Returns: the record's traces.
    mutating func add(
        _ record: JournalRecord, to window: inout TraceWindow, firstSeen: Timestamp, isKnown: Bool, at now: Timestamp
    ) throws -> Set<TraceID> {
        // What a large record took is not kept until the next one comes.
        defer { batch.reset(to: .empty) }
        var traces: Set<TraceID> = []
        try OTLPDecoder(maxValueDepth: .max).decode(record.payload, into: &batch)
        for index in batch.spans.indices where !batch.spans[index].isDropped {
            let span = batch.spans[index]
            let id = TraceID(high: span.traceIDHigh, low: span.traceIDLow)
            let slot = window.slot(of: id, SamplingRandomness(of: span), firstSeen: firstSeen, at: now)
            if isKnown {
                traces.insert(id)
                continue
            }
            window.add(summary(of: span, window.openTests(of: slot)), to: slot, at: now)
        }
        telemetry?.take(from: batch)
        return traces
    }

    private func summary(of span: SpanRecord, _ open: UInt64) -> TraceSummary.Span {
        var summary = TraceSummary.Span(
            start: span.startTime, end: span.endTime, bytes: Int(span.wire.count),
            isRoot: !span.state.contains(.hasParent) || span.parentSpanID == 0)
        var left = open & mask
        while left != 0 {
            let number = left.trailingZeroBitCount
            if tests[number].holds(for: span, in: batch) { summary.tests |= 1 << UInt64(number) }
            left &= left - 1
        }
        if case .string(let text)? = batch.value(of: Self.total, in: span.attributes) {
            summary.cost = GenAIAttributes.pico(text) ?? 0
        }
        if span.traceState.count > 0 { summary.randomness = TraceState(batch.bytes(span.traceState))?.randomness }
        return summary
    }
}
