import Testing

@testable import Weir

/// What the exporter to Postgres stores. What it has in common with others is in `WriteContractTests`.
struct PostgresExporterTests {
    private func record(_ sequence: UInt64, _ ids: ClosedRange<UInt64>) -> JournalRecord {
        PostgresSample.record(sequence, ids)
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

    @Test func whatWaitedIsStoredWhileTheClockIsFarAhead() async throws {
        let sample = try PostgresSample("retention: 30d", schema: PostgresSchema(hasOwnDatabase: true))
        try await sample.export(PostgresSample.record(1, 1...1))
        sample.clock.advance(seconds: 40 * 86_400)
        try await sample.export(PostgresSample.record(2, 2...2))
        // Nor does a session that is new have another opinion.
        try sample.schema.open().run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                + "AND application_name LIKE 'weir%' AND pid <> pg_backend_pid()")
        _ = await sample.failure(PostgresSample.record(3, 3...3))
        try await sample.export(PostgresSample.record(3, 3...3))
        #expect(try sample.spanIDs() == [1, 2, 3] && sample.count("expired_spans") == 0)
    }

    /// A journal that is older than the tables gives its numbers out again.
    @Test func recordsThatAnotherProcessHasWrittenAreNotTakenForOnes() async throws {
        let first = try PostgresSample()
        try await first.export(PostgresSample.record(3, 1...1), recoveredThrough: 2)
        // It may have been stored before an answer was lost.
        try await first.export(PostgresSample.record(3, 1...1), recoveredThrough: 2)
        let second = try PostgresSample(schema: first.schema)
        let wanted = "the tables have record 3 of journal 0000000000000007"
        for _ in 1...2 {
            guard
                case .retryable(let reason, nil)? = await second.failure(
                    PostgresSample.record(2, 2...2), PostgresSample.record(3, 3...3), recoveredThrough: 2)
            else {
                Issue.record("found no error that may pass")
                return
            }
            #expect(reason.hasPrefix(wanted))
        }
        #expect(try first.spanIDs() == [1])
        // One that goes on with the same journal knows of it.
        let third = try PostgresSample(schema: first.schema)
        try await third.export(PostgresSample.record(3, 1...1), PostgresSample.record(4, 4...4), recoveredThrough: 3)
        #expect(try first.spanIDs() == [1, 4])
    }
}
