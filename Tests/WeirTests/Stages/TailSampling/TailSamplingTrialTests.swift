import Testing

@testable import Weir

@Suite struct TailSamplingTrialTests {
    private func span(_ trace: UInt64, _ id: UInt64, parent: UInt64 = 0, status: UInt64 = 0) -> SpanFixture {
        var span = SpanFixture()
        span.traceID = (1, trace)
        (span.spanID, span.parentSpanID, span.status) = (id, parent, status)
        return span
    }

    /// What is decided, and the spans that are left with their policies.
    private func run(_ yaml: String, _ spans: [SpanFixture]) throws -> (decided: [String], left: [String]) {
        var batch = try SpanFixture.batch(spans)
        (batch.tenant, batch.receivedAt) = ("shop", Timestamp(nanoseconds: 1_700_000_000_000_000_000))
        let decided = try TailSamplingTrial(try TailSamplingConfiguration(yaml: yaml)).process(&batch)
        #expect(batch.tenant == "shop")
        var left: [String] = []
        for span in batch.spans where !span.isDropped {
            guard case .string(let rule)? = batch.value(of: Batch.samplingRule, in: span.attributes) else { continue }
            left.append("\(span.traceIDLow)/\(span.spanID) \(String(decoding: rule, as: UTF8.self))")
        }
        return (
            decided.map { trace in
                "\(trace.decision.trace.low): \(trace.spans), \(trace.cause.rawValue) after \(trace.after.text), "
                    + trace.decision.outcome
            }, left
        )
    }

    @Test func tracesAreWholeAndTimePasses() throws {
        let yaml = "policies: [ { name: errors, type: status_code, status_code: { status_codes: [ERROR] } } ]"
        let (decided, left) = try run(
            yaml, [span(1, 1), span(2, 5, parent: 4, status: 2), span(1, 2, parent: 1, status: 2), span(3, 1)])
        #expect(
            decided.sorted() == [
                #"1: 2, root_ended after 2s, kept by policy "errors", threshold 0"#,
                #"2: 1, waited after 30s, kept by policy "errors", threshold 0"#,
                "3: 1, root_ended after 2s, left out by no policy",
            ])
        #expect(left == ["1/1 errors", "2/5 errors", "1/2 errors"])
    }

    @Test func limitersAnswerAfterTheirSecond() throws {
        let limit = "{ spans_per_second: 1, burst_capacity: 1 }"
        let yaml = "policies: [ { name: some, type: rate_limiting, rate_limiting: \(limit) } ]"
        let (decided, left) = try run(yaml, [span(1, 1), span(2, 1)])
        #expect(decided.count == 2 && decided.allSatisfy { $0.contains(": 1, root_ended after 3s, ") }, "\(decided)")
        #expect(left == ["2/1 some"], "the one with the higher randomness")
    }

    @Test func nothingComesOfNothing() throws {
        let (decided, left) = try run("policies: [ { name: all, type: always_sample } ]", [])
        #expect(decided == [] && left == [])
    }
}
