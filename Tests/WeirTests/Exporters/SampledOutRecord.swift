@testable import Weir

/// Records from which sampling left spans out.
enum SampledOutRecord {
    static func call(_ id: UInt64, cost: String = "0.5") -> SpanFixture {
        var span = span(id)
        span.name = "chat"
        span.attributes = [
            NewPair(key: "gen_ai.operation.name", value: .string("chat")),
            NewPair(key: "gen_ai.request.model", value: .string("m-1")),
            NewPair(key: "gen_ai.usage.input_tokens", value: .int(100)),
            NewPair(key: "weir.cost.total", value: .string(cost)),
            NewPair(key: "gen_ai.input.messages", value: .string("a secret")),
        ]
        return span
    }

    static func span(_ id: UInt64, start: UInt64 = SampleBatch.fourOClock) -> SpanFixture {
        var span = SpanFixture()
        span.spanID = id
        span.traceID = (1, id)
        span.startTime = start
        span.endTime = start + 1_000_000
        return span
    }

    /// - Parameter out: the places of the spans that are left out, by a rule `ui`.
    static func make(
        _ spans: [SpanFixture], out: Set<Int>, sequence: UInt64 = 1, tenant: String = "default"
    ) throws -> JournalRecord {
        var batch = try SpanFixture.batch(spans)
        batch.receivedAt = Timestamp(nanoseconds: SampleBatch.fourOClock)
        let rule = batch.addSamplingRule(AttributeKey("ui"))
        for index in out { batch.sampleOut(span: index, by: rule) }
        var section = RecordSection()
        var sampledOut = SampledOutEncoder()
        if !out.isEmpty, let content = sampledOut.encode(batch) { section.add(.sampledOut, content) }
        var encoder = OTLPEncoder()
        return JournalRecord(
            sequence: sequence, tenant: tenant, receivedAt: batch.receivedAt, spanCount: batch.spanCount,
            payload: encoder.encode(batch) ?? .empty, section: section)
    }
}
