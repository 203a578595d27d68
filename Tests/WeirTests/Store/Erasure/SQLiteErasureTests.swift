import Testing

@testable import Weir

@Suite struct SQLiteErasureTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    @Test func leavesNoByteOfASubject() async throws {
        let sample = try SQLiteSample()
        try await sample.export(try ErasureSample.records())
        #expect(try sample.directory.files(with: ErasureSample.person) != [])
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        let traces = try erasure.traces(of: ErasureSample.matcher(), at: now)
        #expect(traces == ErasureSample.traces)
        let erased = try erasure.erase(ErasureSample.matcher(), traces: traces, at: now)
        #expect(erased == ErasedRows(spans: 4, calls: 1, rejects: 0, parts: 1))
        #expect(try sample.spanIDs() == ErasureSample.left.map { "\($0)" })
        // While the exporter has the files open.
        #expect(try sample.directory.files(with: ErasureSample.person) == [])
        try await sample.export(try ErasureSample.record(9, resource: "", [ErasureSample.span(9, trace: "b")]))
        #expect(try sample.spanIDs().last == "9")
        #expect(try erasure.erase(ErasureSample.matcher(), traces: traces, at: now).isEmpty)
        await sample.exporter.finish()
        #expect(try sample.directory.files(with: ErasureSample.person) == [])
    }

    @Test func aFileThatWasNotWrittenAnewIsWrittenTheNextTime() async throws {
        let sample = try SQLiteSample()
        try await sample.export(try ErasureSample.records())
        await sample.exporter.finish()
        // As somebody leaves it who is killed behind the transaction.
        try sample.change(
            "DELETE FROM spans; DELETE FROM llm_usage; DELETE FROM cost_ledger; DELETE FROM resources;"
                + " PRAGMA user_version = 1")
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        #expect(try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now).isEmpty)
        #expect(try sample.lines("PRAGMA user_version") == ["0"])
    }

    @Test func callsStayAndLeadToNobody() async throws {
        let sample = try SQLiteSample()
        try await sample.export(try ErasureSample.records())
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        #expect(
            try sample.lines("SELECT user_id, response_id, count(*) FROM llm_usage GROUP BY 1, 2 ORDER BY 1, 2") == [
                "NULL|NULL|1", "NULL|r4|1", "bob|r3|1",
            ])
        #expect(try sample.lines("SELECT count(*) FROM llm_usage WHERE hex(trace_id) LIKE 'AAAA%'") == ["1"])
        #expect(try sample.lines("SELECT sum(spans) FROM span_rollups") == ["7"])
        #expect(
            try sample.lines("SELECT user_id, sum(calls) FROM cost_ledger GROUP BY 1 ORDER BY 1") == [
                "NULL|2", "bob|1",
            ])
        #expect(
            try sample.lines("SELECT user_id, sum(calls) FROM cost_rollups GROUP BY 1 ORDER BY 1") == ["|2", "bob|1"])
    }

    @Test func rejectsGoToo() async throws {
        let sample = try SQLiteSample()
        try await sample.export(try ErasureSample.record(1, resource: "", [ErasureSample.span(8, trace: "f")]))
        try sample.change("CREATE TRIGGER t BEFORE INSERT ON spans BEGIN SELECT RAISE(ABORT, 'no'); END")
        try await sample.export(
            try ErasureSample.records().map { record in
                JournalRecord(
                    sequence: record.sequence + 1, tenant: record.tenant, receivedAt: record.receivedAt,
                    spanCount: record.spanCount, payload: record.payload)
            })
        #expect(try sample.lines("SELECT count(*) FROM rejects", day: nil) == ["7"])
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        let erased = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        #expect(erased.rejects == 4)
        #expect(
            try sample.lines("SELECT span_id FROM rejects ORDER BY 1", day: nil) == ErasureSample.left.map { "\($0)" })
    }

    @Test func subjectsOfAnyAttributeAreFound() async throws {
        let sample = try SQLiteSample()
        try await sample.export(try ErasureSample.records())
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        let matcher = ErasureSample.matcher("n", ["4"])
        let traces = try erasure.traces(of: matcher, at: now)
        #expect(traces.map(\.text) == [String(repeating: "b", count: 32)])
        #expect(try erasure.erase(matcher, traces: traces, at: now).spans == 1)
        #expect(try sample.spanIDs() == ["1", "2", "3", "5", "6", "7"])
    }

    @Test(arguments: ["user.id", "customer"])
    func aNameMayBeginLikeCiphertext(attribute: String) async throws {
        let sample = try SQLiteSample()
        try await sample.export([ErasureSample.named(by: attribute)])
        let matcher = ErasureSample.matcher(attribute, ["weir1.x"])
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        let traces = try erasure.traces(of: matcher, at: now)
        #expect(traces.count == 1)
        #expect(try erasure.erase(matcher, traces: traces, at: now).spans == 4)
        #expect(try sample.spanIDs() == ["3"])
    }

    @Test func anotherTenantKeepsTheSameName() async throws {
        let sample = try SQLiteSample()
        try await sample.export(
            try ErasureSample.records().map { record in
                JournalRecord(
                    sequence: record.sequence, tenant: "other", receivedAt: record.receivedAt,
                    spanCount: record.spanCount, payload: record.payload)
            })
        let erasure = SQLiteErasure(directory: SQLiteDirectory(sample.path))
        #expect(try erasure.traces(of: ErasureSample.matcher(), at: now) == [])
        #expect(try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now).isEmpty)
        #expect(try sample.spanIDs().count == 7)
    }
}
