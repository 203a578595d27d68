/// What a stage would make of one request, whose spans are all there at once: then time passes, which nobody waits for,
/// until every trace is decided. No journal, no burst, no other replica.
struct TailSamplingTrial {
    /// A trace, and what was decided about it.
    struct Decided {
        let decision: RecordOrigin.Decision
        let cause: DecisionCause
        let spans: Int
        /// Since the request.
        let after: Duration
    }

    private let configuration: TailSamplingConfiguration

    init(_ configuration: TailSamplingConfiguration) {
        self.configuration = configuration
    }

    /// Leaves in the batch what is kept.
    /// - Returns: the traces, in the order in which they are decided.
    func process(_ batch: inout Batch) throws -> [Decided] {
        // As the journal has it between processors in front of the stage and those behind it.
        var encoder = OTLPEncoder()
        guard batch.spanCount > 0, let payload = encoder.encode(batch) else { return [] }
        let record = JournalRecord(
            sequence: 1, tenant: batch.tenant, receivedAt: batch.receivedAt, spanCount: batch.spanCount,
            payload: payload)
        try OTLPDecoder(maxValueDepth: .max).decode(payload, into: &batch)
        (batch.tenant, batch.receivedAt) = (record.tenant, record.receivedAt)
        var window = TraceWindow(
            configuration.window, configuration.policies, keptDecisions: configuration.keptDecisions,
            droppedDecisions: configuration.droppedDecisions)
        let decided = try decide(record, in: &window)
        var marks = DecisionMarks()
        let tenant = TenantTrace.number(of: record.tenant)
        _ = marks.write(
            { window.decision(on: TenantTrace(tenant: tenant, id: $0)) }, rule: { window.names[$0] }, onto: &batch)
        return decided
    }

    private func decide(_ record: JournalRecord, in window: inout TraceWindow) throws -> [Decided] {
        let start = record.receivedAt
        window.begin(record: record.sequence, of: record.tenant, spans: record.spanCount, at: start)
        var intake = TailSamplingIntake(configuration.tests)
        _ = try intake.add(record, to: &window, firstSeen: start, isKnown: false, at: start)
        var decided: [Decided] = []
        var now = start
        while true {
            window.decide(at: now)
            for made in window.takeDecided() {
                let decision = RecordOrigin.Decision(
                    trace: made.trace.id, threshold: made.decision.threshold, isKept: made.decision.isKept,
                    rule: window.names[made.decision.rule])
                decided.append(
                    Decided(
                        decision: decision, cause: made.cause, spans: made.spans,
                        after: .nanoseconds(Int64(clamping: now.nanoseconds - start.nanoseconds))))
            }
            guard window.openTraces > 0, let next = window.nextDecision else { return decided }
            now = max(now, next)
        }
    }
}
