import Testing

@testable import Weir

/// What both stores promise of what they are brought: each record once, whoever brings it, however often, beside
/// whatever others.
@Suite struct WriteContractTests {
    private typealias Sample = QuerySample

    private static let ledger =
        "SELECT first_sequence, last_sequence, spans, rejected FROM ledger ORDER BY journal, first_sequence"

    private func record(_ sequence: UInt64, _ ids: ClosedRange<UInt64>, tenant: String = "default") -> JournalRecord {
        PostgresSample.record(sequence, ids, tenant: tenant)
    }

    private func ids(_ sample: Sample) throws -> [Int] {
        try sample.lines("SELECT span_id FROM spans ORDER BY span_id").compactMap { Int($0) }
    }

    @Test(arguments: HotDatabase.allCases)
    func theSameBatchAgainStoresNothing(database: HotDatabase) async throws {
        let sample = try Sample(database)
        for _ in 1...2 { try await sample.add(record(1, 1...3), record(2, 4...5)) }
        #expect(try ids(sample) == [1, 2, 3, 4, 5])
        #expect(try sample.lines(Self.ledger) == ["1|2|5|0"])
        #expect(try sample.lines("SELECT sum(spans) FROM span_rollups") == ["5"])
        #expect(sample.count("stored_spans") == 5 && sample.count("repeated_spans") == 5)
        #expect(sample.count("transactions") == (database == .postgres ? 2 : nil))
        #expect(sample.count("rejected_spans") == 0 && sample.count("clock_suspect_spans") == 0)
    }

    @Test(arguments: HotDatabase.allCases)
    func anotherProcessKnowsWhatIsStored(database: HotDatabase) async throws {
        let first = try Sample(database)
        try await first.add(record(1, 1...3))
        let second = try Sample(database, beside: first)
        try await second.add(record(1, 1...3), record(2, 4...4))
        #expect(try ids(first) == [1, 2, 3, 4])
        #expect(try first.lines(Self.ledger) == ["1|2|4|0"])
        #expect(second.count("stored_spans") == 1 && second.count("repeated_spans") == 3)
    }

    @Test(arguments: HotDatabase.allCases)
    func ofAnOverlappingBatchTheNewRecordsAreStored(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add(record(1, 1...1), record(2, 2...2), record(3, 3...3))
        try await sample.add(record(2, 2...2), record(3, 3...3), record(4, 4...4), record(5, 5...5))
        try await sample.add(record(7, 7...7))
        try await sample.add(record(5, 5...5), record(6, 6...6), record(7, 7...7), record(8, 8...8))
        #expect(try ids(sample) == Array(1...8))
        #expect(try sample.lines(Self.ledger) == ["1|6|6|0", "7|8|2|0"])
    }

    /// Such as those that have been in the dead letters, and are brought again in the end.
    @Test(arguments: HotDatabase.allCases)
    func aRecordIsNotTakenForStoredBecauseOneBehindItIs(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add(record(10, 10...10))
        try await sample.add(record(20, 20...20), record(21, 21...21))
        try await sample.add(record(11, 11...11))
        try await sample.add(record(5, 5...5))
        #expect(try sample.lines(Self.ledger) == ["5|5|1|0", "10|11|2|0", "20|21|2|0"])
        try await sample.add(record(15, 15...15))
        #expect(try ids(sample) == [5, 10, 11, 15, 20, 21])
        #expect(try sample.lines(Self.ledger) == ["5|5|1|0", "10|11|2|0", "15|15|1|0", "20|21|2|0"])
    }

    @Test(arguments: HotDatabase.allCases)
    func recordsOfDifferentJournalsAreToldApart(database: HotDatabase) async throws {
        let one = try Sample(database)
        let other = try Sample(database, beside: one, journal: .max)
        try await one.add(record(1, 1...1))
        for _ in 1...2 { try await other.add(record(1, 2...2)) }
        #expect(try ids(one) == [1, 2])
        #expect(try one.lines("SELECT journal, last_sequence FROM ledger ORDER BY 1") == ["-1|1", "7|1"])
    }

    @Test(arguments: HotDatabase.allCases)
    func tenantsAreNumberedOnce(database: HotDatabase) async throws {
        let first = try Sample(database)
        try await first.add(record(1, 1...1, tenant: "a"), record(2, 2...2, tenant: "b"))
        let second = try Sample(database, beside: first)
        try await second.add(record(3, 3...3, tenant: "a"))
        let rows = try first.lines(
            "SELECT t.name, s.span_id FROM spans s JOIN tenants t ON t.id = s.tenant_id ORDER BY 2")
        #expect(rows == ["a|1", "b|2", "a|3"])
        #expect(try first.lasting("SELECT count(*), max(id) FROM tenants") == ["2|2"])
    }

    @Test(arguments: HotDatabase.allCases)
    func aRecordThatCannotBeReadIsRefusedForGoodAndNothingOfItsBatchIsStored(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let broken = JournalRecord(
            sequence: 2, tenant: "default", receivedAt: Timestamp(nanoseconds: Sample.start), spanCount: 1,
            payload: [0x0A, 0x7F].withUnsafeBytes { Payload.copying($0) })
        do throws(ExportError) {
            try await sample.add(record(1, 1...1), broken)
            Issue.record("took a broken record")
        } catch {
            guard case .rejected = error else {
                Issue.record("\(error) is not for good")
                return
            }
        }
        try await sample.add(record(1, 1...1))
        #expect(try ids(sample) == [1])
        #expect(sample.count("stored_spans") == 1 && sample.count("repeated_spans") == 0)
    }

    @Test(arguments: HotDatabase.allCases)
    func aCallOfAModelIsCountedOnceHoweverOftenItIsSent(database: HotDatabase) async throws {
        let sample = try Sample(database)
        for _ in 1...2 { try await sample.add([Sample.call(1, model: "m", tokens: 100, cost: 0.5)]) }
        #expect(try sample.lines("SELECT count(*), sum(input_tokens) FROM llm_usage") == ["1|100"])
        #expect(try sample.lines("SELECT sum(calls), sum(input_tokens) FROM cost_ledger") == ["1|100"])
        #expect(try sample.lines("SELECT count(*) FROM spans") == ["2"])
    }
}
