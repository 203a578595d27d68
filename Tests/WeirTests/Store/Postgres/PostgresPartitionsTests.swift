import Testing

@testable import Weir

struct PostgresPartitionsTests {
    private static let today = Day(Timestamp(nanoseconds: SampleBatch.fourOClock))
    private static let names = """
        SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'spans'::regclass
        AND NOT inhdetachpending ORDER BY 1
        """

    @Test func namesAreThoseOfATableAndADay() {
        let name = PostgresPartitionName(table: "span_rollups", day: Self.today)
        #expect(name.description == "span_rollups_20260203")
        #expect(PostgresPartitionName(parsing: "span_rollups_20260203") == name)
        for other in ["spans", "spans_", "spans_20260230", "spans_2026020", "spans_20260203x", "tenants_20260203"] {
            #expect(PostgresPartitionName(parsing: other) == nil)
        }
    }

    @Test func thoseThatAreMissingAreMade() throws {
        let connection = try PostgresSchema().openWithTables()
        var partitions = PostgresPartitions()
        try partitions.make([Self.today], on: connection)
        try partitions.make(PostgresPartitions.ahead(at: Self.today.start), on: connection)
        let expected = ["spans_20260203", "spans_20260204", "spans_20260205", "spans_20260206"]
        #expect(try PostgresSchema.rows(Self.names, on: connection) == expected)
        #expect(partitions.days == Set((0...3).map { Self.today + $0 }))
        var loaded = PostgresPartitions()
        try loaded.load(from: connection)
        #expect(loaded.days == partitions.days)
        // Indexes and compression are those of the table.
        let indexes = "SELECT count(*) FROM pg_index WHERE indrelid = "
        #expect(
            try PostgresSchema.rows("\(indexes)'spans'::regclass", on: connection)
                == PostgresSchema.rows("\(indexes)'spans_20260203'::regclass", on: connection))
        #expect(
            try PostgresSchema.rows(
                """
                SELECT attcompression FROM pg_attribute WHERE attrelid = 'spans_20260203'::regclass
                AND attname = 'attributes'
                """, on: connection) == ["l"])
    }

    @Test func severalProcessesAtOnceMakeThemOnce() async throws {
        let schema = try PostgresSchema()
        let connection = try schema.openWithTables()
        let days = PostgresPartitions.ahead(at: Self.today.start)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                let user = PostgresUser(schema)
                group.addTask {
                    try await user.with { connection in
                        var partitions = PostgresPartitions()
                        try partitions.make(days, on: connection)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try PostgresSchema.rows(Self.names, on: connection).count == days.count)
    }

    @Test func openReadersAndWritersAreNotWaitedForAndDoNotWait() throws {
        let schema = try PostgresSchema()
        let connection = try schema.openWithTables()
        var partitions = PostgresPartitions()
        try partitions.make([Self.today], on: connection)
        let insert = """
            INSERT INTO spans (start_time, start_ns, trace_id, span_id, resource_id, scope_id, journal, sequence,
                tenant_id, flags, kind, status, operation, clock_suspect, service, name, attributes)
            VALUES ('2026-02-03 04:00:00+00', 0, gen_random_uuid(), 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, false, '', '', '{}')
            """
        let (reader, writer) = (try schema.open(), try schema.open())
        try reader.run("BEGIN; SELECT count(*) FROM spans")
        try writer.run("BEGIN; \(insert)")
        // Both are still there, so what waits for them would wait for ever.
        try partitions.make([Self.today + 1, Self.today + 2], on: connection)
        try writer.run("\(insert); COMMIT")
        try reader.run("SELECT count(*) FROM spans; COMMIT")
        #expect(try PostgresSchema.rows(Self.names, on: connection).count == 3)
    }

    @Test func aProcessThatKeepsTheLockIsReported() throws {
        let schema = try PostgresSchema()
        let (first, second) = (try schema.openWithTables(), try schema.open())
        let key = PostgresLock.key(PostgresLock.Subject.partitions.rawValue)
        try first.run("SELECT pg_advisory_lock(\(key))")
        #expect(try PostgresLock.hold(.partitions, on: second, patience: .zero) { true } == nil)
        try first.run("SELECT pg_advisory_unlock(\(key))")
        #expect(try PostgresLock.hold(.partitions, on: second, patience: .zero) { true } == true)
        #expect(try PostgresLock.hold(.partitions, on: first, patience: .zero) { true } == true)
    }
}
