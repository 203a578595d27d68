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
}
