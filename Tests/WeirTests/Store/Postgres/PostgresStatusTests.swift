import Testing

@testable import Weir

struct PostgresStatusTests {
    private static let today = Day(Timestamp(nanoseconds: SampleBatch.fourOClock))

    @Test func itSaysWhatIsThere() throws {
        let connection = try PostgresSchema().openWithTables()
        var partitions = PostgresPartitions()
        try partitions.make([Self.today, Self.today + 1], on: connection)
        try connection.run(
            """
            INSERT INTO ledger VALUES (-1, 5, 9, 20, 2, '2026-02-03 04:00:00+00'),
                (-1, 1, 3, 10, 1, '2026-02-03 05:00:00+00'), (7, 1, 1, 1, 0, '2026-02-03 06:00:00+00');
            INSERT INTO rejects VALUES (now(), 7, 1, 1, gen_random_uuid(), 1, 'why', '');
            INSERT INTO span_rollups VALUES ('2026-02-03 04:00:00+00', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, '{}', '', '', '');
            ANALYZE span_rollups_20260203
            """)
        let status = try PostgresStatus(of: connection)
        #expect(status.migrations.applied == status.migrations.known)
        #expect(
            status.partitions.map { PostgresPartitionName(table: $0.table, day: $0.day).description } == [
                "cost_ledger_20260203", "cost_ledger_20260204", "cost_rollups_20260203", "cost_rollups_20260204",
                "llm_usage_20260203", "llm_usage_20260204", "span_rollups_20260203", "span_rollups_20260204",
                "spans_20260203", "spans_20260204",
            ])
        #expect(status.partitions.map(\.rowsEstimate) == [nil, nil, nil, nil, nil, nil, 1, nil, nil, nil])
        #expect(status.partitions.allSatisfy { $0.bytes > 0 })
        #expect(status.journals.map(\.id.value) == [7, .max])
        #expect(status.journals.map(\.floor) == [1, 3] && status.journals.map(\.lastSequence) == [1, 9])
        #expect(status.journals.map(\.spans) == [1, 30] && status.journals.map(\.rejected) == [0, 3])
        #expect(
            status.journals.map(\.updatedAt.nanoseconds)
                == [2, 1].map { SampleBatch.fourOClock + $0 * SampleBatch.hour })
        #expect(status.rejects == 1 && status.databaseBytes > 1_000_000)
    }

    @Test func aSchemaWithoutTablesIsSaid() throws {
        let connection = try PostgresSchema().open()
        #expect(throws: PostgresError("the schema has no tables of Weir")) { try PostgresStatus(of: connection) }
    }
}
