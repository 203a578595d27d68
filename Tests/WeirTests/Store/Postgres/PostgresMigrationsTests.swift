import Testing

@testable import Weir

struct PostgresMigrationsTests {
    private static let next = PostgresMigration(
        version: PostgresMigration.all.count + 1, name: "a column", sql: "ALTER TABLE spans ADD COLUMN extra text")

    @Test func aFreshDatabaseGetsEverythingOnce() throws {
        let connection = try PostgresSchema().open()
        #expect(try PostgresMigrations.status(on: connection) == .init(applied: 0, known: PostgresMigration.all.count))
        #expect(try PostgresMigrations.apply(on: connection) == PostgresMigration.all.count)
        #expect(try PostgresMigrations.apply(on: connection) == 0)
        let status = try PostgresMigrations.status(on: connection)
        #expect(status.applied == status.known)
        let tables = try PostgresSchema.rows(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')",
            on: connection)
        #expect(Set(tables).isSuperset(of: PostgresPartitions.tables + ["ledger", "tenants", "rejects"]))
    }

    @Test func everyTableAndViewSaysWhatARowIs() throws {
        let connection = try PostgresSchema().openWithTables()
        let silent = try PostgresSchema.rows(
            """
            SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
            AND relkind IN ('r', 'p', 'v') AND obj_description(oid, 'pg_class') IS NULL
            """, on: connection)
        #expect(silent == [])
    }

    @Test func everyRowOfATenantSaysWhose() throws {
        let connection = try PostgresSchema().openWithTables()
        let others = try PostgresSchema.rows(
            """
            SELECT relname FROM pg_class c WHERE relnamespace = current_schema()::regnamespace
            AND relkind IN ('r', 'p', 'v') AND NOT EXISTS (SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname IN ('tenant', 'tenant_id')) ORDER BY relname
            """, on: connection)
        #expect(others == ["ledger", "schema_migrations", "tenants"])
    }

    @Test func theMigrationsAreNumberedFromOne() {
        #expect(PostgresMigration.all.map(\.version) == Array(1...PostgresMigration.all.count))
        #expect(PostgresMigration.first.sha256.count == 64)
    }

    @Test func severalProcessesAtOnceDoItOnce() async throws {
        let schema = try PostgresSchema()
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                let user = PostgresUser(schema)
                group.addTask { try await user.with { try PostgresMigrations.apply(on: $0) } }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == PostgresMigration.all.count)
    }

    @Test func aDatabaseThatIsNewerIsRefused() throws {
        let connection = try PostgresSchema().openWithTables()
        let known = PostgresMigration.all.count
        try connection.run("INSERT INTO schema_migrations VALUES (\(known + 1), 'from the future', 'abc')")
        let error = PostgresError(
            "the tables are of a newer Weir: found migration \(known + 1), wanted at most \(known)")
        #expect(throws: error) { try PostgresMigrations.apply(on: connection) }
        #expect(throws: error) { try PostgresMigrations.status(on: connection) }
    }

    @Test func aMigrationThatWasChangedIsRefused() throws {
        let connection = try PostgresSchema().openWithTables()
        let other = PostgresMigration(version: 1, name: "hot tables", sql: "SELECT 1")
        #expect(
            throws: PostgresError("migration 1 of the database is not the one that this Weir knows by that number")
        ) { try PostgresMigrations.apply(on: connection, [other, Self.next]) }
    }

    @Test func aMigrationThatFailsLeavesNothing() throws {
        let connection = try PostgresSchema().openWithTables()
        let broken = PostgresMigration(
            version: PostgresMigration.all.count + 1, name: "broken",
            sql: "CREATE TABLE half (number integer); SELECT 1/0")
        #expect(throws: PostgresError.self) {
            try PostgresMigrations.apply(on: connection, PostgresMigration.all + [broken])
        }
        #expect(try connection.run("SELECT to_regclass('half')").text(0, 0) == nil)
        #expect(try PostgresMigrations.status(on: connection).applied == PostgresMigration.all.count)
    }

    @Test func aDatabaseOfAnyOlderVersionKeepsItsRows() throws {
        for version in 1..<PostgresMigration.all.count {
            let connection = try PostgresSchema().open()
            try PostgresMigrations.apply(on: connection, Array(PostgresMigration.all.prefix(version)))
            try connection.run("INSERT INTO tenants (name) VALUES ('acme'); INSERT INTO ledger VALUES (7, 1, 3, 9, 0)")
            // As those of grafana.sql, which stand on Weir's.
            let views = try PostgresSchema.rows(
                "SELECT viewname FROM pg_views WHERE schemaname = current_schema()", on: connection)
            for view in views { try connection.run("CREATE VIEW my_\(view) AS SELECT * FROM \(view)") }
            #expect(try PostgresMigrations.apply(on: connection) == PostgresMigration.all.count - version)
            #expect(try PostgresSchema.rows("SELECT name FROM tenants", on: connection) == ["acme"])
            #expect(try PostgresSchema.rows("SELECT spans FROM ledger", on: connection) == ["9"])
        }
    }

    @Test func aReaderThatDoesNotEndHoldsUpTheMigrationButNoWriter() async throws {
        let schema = try PostgresSchema()
        let writer = try schema.openWithTables()
        var partitions = PostgresPartitions()
        try partitions.make([Day(Timestamp(nanoseconds: SampleBatch.fourOClock))], on: writer)
        let reader = try schema.open()
        try reader.run("BEGIN; SELECT count(*) FROM spans")
        let user = PostgresUser(schema)
        async let applied = user.with { try PostgresMigrations.apply(on: $0, PostgresMigration.all + [Self.next]) }
        try writer.run("SET lock_timeout = '1s'")
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end {
            try writer.run("INSERT INTO span_rollups SELECT * FROM span_rollups; DELETE FROM spans WHERE false")
        }
        #expect(
            try PostgresMigrations.status(on: reader, of: PostgresMigration.all + [Self.next]).applied
                == PostgresMigration.all.count)
        try reader.run("COMMIT")
        #expect(try await applied == 1)
    }
}
