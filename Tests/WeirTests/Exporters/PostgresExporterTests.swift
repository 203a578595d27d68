import Testing

@testable import Weir

/// What the exporter to Postgres stores, and that it stores it once.
struct PostgresExporterTests {
    private func record(_ sequence: UInt64, _ ids: ClosedRange<UInt64>) -> JournalRecord {
        PostgresSample.record(sequence, ids)
    }

    private static let ledger = "SELECT first_sequence, last_sequence, spans, rejected FROM ledger ORDER BY 1"

    @Test func theSameBatchAgainStoresNothing() async throws {
        let sample = try PostgresSample()
        for _ in 1...2 { try await sample.export(record(1, 1...3), record(2, 4...5)) }
        #expect(try sample.spanIDs() == [1, 2, 3, 4, 5])
        #expect(try sample.rows(Self.ledger) == ["1|2|5|0"])
        #expect(sample.count("stored_spans") == 5 && sample.count("repeated_spans") == 5)
        #expect(sample.count("transactions") == 2)
    }

    @Test func anotherProcessKnowsWhatIsStored() async throws {
        let first = try PostgresSample()
        try await first.export(record(1, 1...3))
        let second = try PostgresSample(schema: first.schema)
        try await second.export(record(1, 1...3), record(2, 4...4))
        #expect(try first.spanIDs() == [1, 2, 3, 4])
        #expect(try first.rows(Self.ledger) == ["1|2|4|0"])
    }

    @Test func ofAnOverlappingBatchTheNewRecordsAreStored() async throws {
        let sample = try PostgresSample()
        try await sample.export(record(3, 3...3), record(4, 4...4))
        try await sample.export(record(2, 2...2), record(3, 3...3), record(4, 4...4), record(5, 5...5))
        #expect(try sample.spanIDs() == [2, 3, 4, 5])
        #expect(try sample.rows(Self.ledger) == ["2|2|1|0", "3|5|3|0"])
    }

    @Test func gapsAndOtherOrdersMakeRangesOfTheirOwn() async throws {
        let sample = try PostgresSample()
        try await sample.export(record(10, 10...10))
        try await sample.export(record(20, 20...20), record(21, 21...21))
        try await sample.export(record(11, 11...11))
        try await sample.export(record(5, 5...5))
        #expect(try sample.rows(Self.ledger) == ["5|5|1|0", "10|11|2|0", "20|21|2|0"])
        try await sample.export(record(5, 5...5), record(11, 11...11), record(15, 15...15), record(21, 21...21))
        #expect(try sample.spanIDs() == [5, 10, 11, 15, 20, 21])
        #expect(try sample.rows(Self.ledger) == ["5|5|1|0", "10|11|2|0", "15|15|1|0", "20|21|2|0"])
    }

    @Test func journalsDoNotMixUp() async throws {
        let sample = try PostgresSample()
        try await sample.export(record(1, 1...1), journal: 7)
        try await sample.export(record(1, 2...2), journal: .max)
        try await sample.export(record(1, 2...2), journal: .max)
        #expect(try sample.spanIDs() == [1, 2])
        #expect(try sample.rows("SELECT journal, last_sequence FROM ledger ORDER BY 1") == ["-1|1", "7|1"])
    }

    @Test func tenantsAreNumberedOnce() async throws {
        let sample = try PostgresSample()
        try await sample.export(
            PostgresSample.record(1, 1...1, tenant: "a"), PostgresSample.record(2, 2...2, tenant: "b"))
        try await PostgresSample(schema: sample.schema).export(PostgresSample.record(3, 3...3, tenant: "a"))
        let rows = try sample.rows(
            "SELECT t.name, s.span_id FROM spans s JOIN tenants t ON t.id = s.tenant_id ORDER BY 2")
        #expect(rows == ["a|1", "b|2", "a|3"])
        #expect(try sample.rows("SELECT count(*), max(id) FROM tenants") == ["2|2"])
    }

    @Test func spansOfAnyDayOfTheWindowFindAPartition() async throws {
        let sample = try PostgresSample()
        let day = Day.nanoseconds
        let starts = [0, SampleBatch.fourOClock - 20 * day, SampleBatch.fourOClock, SampleBatch.fourOClock + 90 * day]
        let spans = starts.enumerated().map { (id: UInt64($0.offset + 1), start: $0.element) }
        try await sample.export(SampleBatch.record(spans))
        #expect(
            try sample.rows("SELECT span_id, start_time, clock_suspect FROM spans ORDER BY 1") == [
                "1|2026-01-04 00:00:00+00|t", "2|2026-01-14 04:00:00+00|f", "3|2026-02-03 04:00:00+00|f",
                "4|2026-02-04 23:59:59.999999+00|t",
            ])
        #expect(sample.count("clock_suspect_spans") == 2)
    }

    @Test func aPartitionThatWentIsMadeAnew() async throws {
        let sample = try PostgresSample()
        try await sample.export(record(1, 1...1))
        _ = try sample.rows("DROP TABLE spans_20260203, llm_usage_20260203, span_rollups_20260203")
        try await sample.export(record(2, 2...2))
        #expect(try sample.spanIDs() == [2])
    }

    @Test func manySpansGoThroughASmallBuffer() async throws {
        let sample = try PostgresSample()
        let batch = SampleBatch.batch(1...3_000, padding: 1_000)
        try await sample.exporter.export(batch)
        #expect(
            try sample.rows("SELECT count(*), sum(length(attributes ->> 'padding')) FROM spans") == ["3000|4008000"])
        #expect(try sample.rows("SELECT sum(spans) FROM span_rollups") == ["3000"])
    }

    @Test func resourcesAndScopesAreThereOnceAndSeenEachDay() async throws {
        let sample = try PostgresSample()
        try await sample.export(record(1, 1...2))
        try await sample.export(record(2, 3...4))
        sample.clock.advance(seconds: 86_400)
        try await sample.export(record(3, 5...5))
        let joined = """
            SELECT DISTINCT r.attributes, r.last_seen, s.name, s.last_seen FROM spans
            JOIN resources r ON r.id = resource_id JOIN scopes s ON s.id = scope_id
            """
        #expect(try sample.rows(joined) == [#"{"service.name": "shop"}|2026-02-04|tests|2026-02-04"#])
        #expect(try sample.rows("SELECT count(*) FROM resources") == ["1"])
    }

    @Test func aRecordThatCannotBeReadIsRejected() async throws {
        let sample = try PostgresSample()
        let bytes: [UInt8] = [0x0A, 0x7F]
        let payload = bytes.withUnsafeBytes { Payload.copying($0) }
        let record = JournalRecord(
            sequence: 2, tenant: "default", receivedAt: sample.clock.now, spanCount: 1, payload: payload)
        guard case .rejected? = await sample.failure(self.record(1, 1...1), record) else {
            Issue.record("wanted a rejection")
            return
        }
        #expect(try sample.rows("SELECT count(*) FROM ledger") == ["0"])
        try await sample.export(self.record(1, 1...1))
        #expect(try sample.spanIDs() == [1])
    }
}
