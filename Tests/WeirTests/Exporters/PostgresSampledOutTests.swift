import Testing

@testable import Weir

struct PostgresSampledOutTests {
    private typealias Record = SampledOutRecord

    private static let rollups =
        "SELECT operation, sum(spans), sum(total_cost)::float8 FROM span_rollups GROUP BY 1 ORDER BY 1"
    private static let usage =
        "SELECT span_id, total_cost::float8, coalesce(sampled_out_by, '-') FROM llm_usage ORDER BY 1"
    private static let ledger = "SELECT first_sequence, last_sequence, spans, rejected FROM ledger ORDER BY 1"

    @Test func whatWasLeftOutCountsOnce() async throws {
        let sample = try PostgresSample()
        let record = try Record.make([Record.call(1), Record.call(2), Record.span(3), Record.span(4)], out: [1, 3])
        for _ in 1...2 { try await sample.export(record) }
        #expect(try sample.spanIDs() == [1, 3])
        #expect(try sample.rows(Self.usage) == ["1|0.5|-", "2|0.5|ui"])
        #expect(try sample.rows(Self.rollups) == ["0|2|0", "1|2|1"])
        #expect(try sample.rows(Self.ledger) == ["1|1|2|0"])
        #expect(sample.count("stored_spans") == 2 && sample.count("repeated_spans") == 2)
    }

    @Test func aRecordOfNothingElseIsStoredOnce() async throws {
        let sample = try PostgresSample()
        let record = try Record.make(
            [Record.span(1), Record.span(2, start: SampleBatch.fourOClock + Day.nanoseconds)], out: [0, 1])
        for _ in 1...2 { try await sample.export(record) }
        #expect(try sample.rows(Self.rollups) == ["0|2|0"])
        #expect(try sample.rows(Self.ledger) == ["1|1|0|0"])
    }

    @Test func aCallThatTheTablesRefuseIsAReject() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(9, 9...9))
        _ = try sample.rows("ALTER TABLE llm_usage ADD CONSTRAINT no CHECK (span_id <> 2)")
        let record = try Record.make([Record.span(1), Record.call(2), Record.call(3)], out: [1, 2])
        for _ in 1...2 { try await sample.export(record) }
        #expect(try sample.rows(Self.usage) == ["3|0.5|ui"])
        #expect(try sample.rows("SELECT span_id, position('\\x63686174'::bytea IN span) > 0 FROM rejects") == ["2|t"])
        #expect(try sample.rows(Self.rollups) == ["0|2|0", "1|2|1"])
        #expect(try sample.rows(Self.ledger) == ["1|1|1|1", "9|9|1|0"])
        #expect(try sample.spanIDs() == [1, 9])
    }

    @Test func storedSpansSayWhatTheyStandFor() async throws {
        let sample = try PostgresSample()
        var some = Record.span(1)
        some.traceState = "ot=th:c"
        try await sample.export(Record.make([some, Record.span(2)], out: []))
        #expect(try sample.rows("SELECT coalesce(adjusted_count, -1) FROM spans ORDER BY span_id") == ["4", "-1"])
    }
}
