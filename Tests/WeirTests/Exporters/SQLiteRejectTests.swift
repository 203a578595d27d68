import Testing

@testable import Weir

@Suite struct SQLiteRejectTests {
    private let start = SampleBatch.fourOClock

    @Test func putsASpanThatTheTablesRefuseAmongTheRejects() async throws {
        let sample = try await refusing("NEW.span_id = 3", "RAISE(ABORT, 'not this one')")
        try await sample.export(record([2, 3, 4], 2), record([3], 3), record([5], 4))
        #expect(try sample.spanIDs() == ["1", "2", "4", "5"])
        #expect(try sample.ledger() == ["1-4 4/2"])
        #expect(try sample.lines("SELECT sum(spans) FROM span_rollups") == ["4"])
        #expect(
            try sample.lines(
                "SELECT journal, sequence, place, tenant_id, hex(trace_id), span_id, reason FROM rejects", day: nil)
                == [
                    "7|2|1|1|00000000000000010000000000000003|3|not this one",
                    "7|3|0|1|00000000000000010000000000000003|3|not this one",
                ])
        #expect(sample.metric("rejected_spans") == 2)
        #expect(
            sample.log.lines.last
                == "warning: put spans into the rejects file=\(sample.path)/spans-20260203.db reason=not this one spans=2"
        )
        // The span as it was sent, alone.
        let alone = SampleBatch.payload([(3, start)])
        let sent = withExtendedLifetime(alone) { $0.bytes.map { UInt64($0).digits(2, radix: 16) }.joined() }
        #expect(try sample.lines("SELECT span FROM rejects", day: nil) == [sent, sent])
    }

    @Test func keepsARejectOnceHoweverOftenItIsBrought() async throws {
        let sample = try await refusing("NEW.span_id = 3", "RAISE(ABORT, 'not this one')")
        try await sample.export(record([2, 3], 2))
        // As it is when the process dies between the two files.
        try sample.change("DELETE FROM ledger; DELETE FROM spans;")
        try await sample.export(record([2, 3], 2))
        #expect(try sample.lines("SELECT count(*) FROM rejects", day: nil) == ["1"])
        #expect(try sample.spanIDs() == ["2"])
        #expect(try sample.ledger() == ["2-2 1/1"])
    }

    @Test func putsNothingAmongTheRejectsWhereTheRestCannotBeWritten() async throws {
        let sample = try await refusing("NEW.span_id = 3", "RAISE(ABORT, 'not this one')")
        try sample.change("CREATE TRIGGER t2 BEFORE INSERT ON span_rollups BEGIN SELECT RAISE(ABORT, 'not now'); END")
        #expect(await sample.refusal([record([2, 3], 2)]) == "hot/spans-20260203.db: not now (SQLite 1811)")
        #expect(try sample.lines("SELECT count(*) FROM rejects", day: nil) == ["0"])
        #expect(try sample.spanIDs() == ["1"])
    }

    @Test func writesNothingWhereARefusalEndsTheTransaction() async throws {
        let sample = try await refusing("NEW.span_id = 3", "RAISE(ROLLBACK, 'nothing at all')")
        #expect(
            await sample.refusal([record([2, 3, 4], 2)]) == "hot/spans-20260203.db: nothing at all (SQLite 1811)")
        #expect(try sample.spanIDs() == ["1"])
        try sample.change("DROP TRIGGER t")
        try await sample.export(record([2, 3, 4], 2))
        #expect(try sample.spanIDs() == ["1", "2", "3", "4"])
    }

    @Test func refusesASpanWithItsUsage() async throws {
        let sample = try SQLiteSample()
        try await sample.export(record([1], 1))
        try sample.change("CREATE TRIGGER t BEFORE INSERT ON llm_usage BEGIN SELECT RAISE(ABORT, 'no calls'); END")
        let call = """
            {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
            "spanId":"000000000000000a","name":"chat","startTimeUnixNano":"START","attributes":[
            {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}]}]}]}]}
            """
        try await sample.export(SampleBatch.record(json: call, sequence: 2), record([3], 3))
        #expect(try sample.spanIDs() == ["1", "3"])
        #expect(try sample.ledger() == ["1-3 2/1"])
        #expect(try sample.lines("SELECT span_id, reason FROM rejects", day: nil) == ["10|no calls"])
    }

    /// With a span 1, and a trigger that does `action` with some others.
    private func refusing(_ condition: String, _ action: String) async throws -> SQLiteSample {
        let sample = try SQLiteSample()
        try await sample.export(record([1], 1))
        try sample.change(
            "CREATE TRIGGER t BEFORE INSERT ON spans WHEN \(condition) BEGIN SELECT \(action); END")
        return sample
    }

    private func record(_ ids: [UInt64], _ sequence: UInt64) -> JournalRecord {
        SampleBatch.record(ids.map { ($0, start) }, sequence: sequence)
    }
}
