import Testing

@testable import Weir

@Suite struct PostgresErasureTests {
    @Test(arguments: [false, true]) func takesASubjectOutOfTheTables(rewrites: Bool) async throws {
        let sample = try PostgresSample()
        for record in try ErasureSample.records() { try await sample.export(record) }
        let traces = try PostgresErasure(sample.schema.open(), ErasureSample.matcher()).traces()
        #expect(traces == ErasureSample.traces)
        let erased = try PostgresErasure(sample.schema.open(), ErasureSample.matcher()).erase(
            traces, rewrites: rewrites)
        #expect(erased == ErasedRows(spans: 4, calls: 1, rejects: 0, parts: 1))
        #expect(try sample.spanIDs() == ErasureSample.left)
        #expect(try sample.rows("SELECT count(*) FROM resources WHERE attributes::text LIKE '%maria%'") == ["0"])
        #expect(try sample.rows("SELECT count(*), count(user_id) FROM llm_usage") == ["3|1"])
        let again = try PostgresErasure(sample.schema.open(), ErasureSample.matcher()).erase(traces, rewrites: false)
        #expect(again.isEmpty)
    }

    @Test func daysFromBeforeATableHaveSubjectsToo() async throws {
        let sample = try PostgresSample()
        for record in try ErasureSample.records() { try await sample.export(record) }
        // As tables are that were there before the ledger of costs.
        for table in ["cost_ledger", "cost_rollups"] {
            let day = PostgresPartitionName(table: table, day: Day(Timestamp(nanoseconds: SampleBatch.fourOClock)))
            _ = try sample.rows("DROP TABLE \(day)")
        }
        let erasure = try PostgresErasure(sample.schema.open(), ErasureSample.matcher())
        #expect(try erasure.traces() == ErasureSample.traces)
        #expect(try erasure.erase(ErasureSample.traces, rewrites: false).spans == 4)
        #expect(try sample.spanIDs() == ErasureSample.left)
    }

    @Test(arguments: ["user.id", "customer"])
    func aNameMayBeginLikeCiphertext(attribute: String) async throws {
        let sample = try PostgresSample()
        try await sample.export(ErasureSample.named(by: attribute))
        let matcher = ErasureSample.matcher(attribute, ["weir1.x"])
        let erasure = try PostgresErasure(sample.schema.open(), matcher)
        let traces = try erasure.traces()
        #expect(traces.count == 1)
        #expect(try erasure.erase(traces, rewrites: false).spans == 4)
        #expect(try sample.spanIDs() == [3])
    }

    @Test func hasNothingOfATenantThatNeverCame() async throws {
        let sample = try PostgresSample()
        #expect(try PostgresErasure(sample.schema.open(), ErasureSample.matcher()).traces() == [])
    }
}
