/// Brings the tables of a schema to what this Weir knows.
enum PostgresMigrations {
    struct Status: Equatable {
        /// Of the last migration that the database has; 0 for none.
        let applied: Int
        /// Of the last one that this Weir knows.
        let known: Int
    }

    /// Which migrations the database has. Throws where they are not those of this Weir.
    static func status(
        on connection: PostgresConnection, of migrations: [PostgresMigration] = PostgresMigration.all
    ) throws(PostgresError) -> Status {
        let known = migrations.count
        guard try connection.run("SELECT to_regclass('schema_migrations')").text(0, 0) != nil else {
            return Status(applied: 0, known: known)
        }
        let rows = try connection.run("SELECT version, sha256 FROM schema_migrations ORDER BY version")
        for row in 0..<rows.count {
            let version = rows.int(row, 0) ?? 0
            guard row < known else {
                let last = rows.int(rows.count - 1, 0) ?? 0
                throw PostgresError(
                    "the tables are of a newer Weir: found migration \(last), wanted at most \(known)")
            }
            guard version == migrations[row].version, rows.text(row, 1) == migrations[row].sha256 else {
                throw PostgresError(
                    "migration \(version) of the database is not the one that this Weir knows by that number")
            }
        }
        return Status(applied: rows.count, known: known)
    }

    /// Applies what is missing, one process at a time. Creates the schema where it is missing.
    /// - Returns: how many were missing.
    @discardableResult
    static func apply(
        on connection: PostgresConnection, _ migrations: [PostgresMigration] = PostgresMigration.all
    ) throws(PostgresError) -> Int {
        let before = try status(on: connection, of: migrations)
        guard before.applied < before.known else { return 0 }
        let applied = try PostgresLock.hold(.migrations, on: connection) { () throws(PostgresError) -> Int in
            try prepare(connection)
            let missing = migrations.dropFirst(try status(on: connection, of: migrations).applied)
            for migration in missing { try apply(migration, on: connection) }
            return missing.count
        }
        guard let applied else { throw PostgresError("another process is changing the tables") }
        return applied
    }

    private static func prepare(_ connection: PostgresConnection) throws(PostgresError) {
        // Asked first: CREATE SCHEMA IF NOT EXISTS wants the right to create one even if it exists.
        let name = try connection.run("SELECT current_setting('search_path')").text(0, 0) ?? ""
        if try connection.run("SELECT to_regnamespace('\(name)')").text(0, 0) == nil {
            try connection.run("CREATE SCHEMA \(name)")
        }
        guard try connection.run("SELECT to_regclass('schema_migrations')").text(0, 0) == nil else { return }
        try connection.run(
            """
            CREATE TABLE \(name).schema_migrations (
                version integer PRIMARY KEY,
                name text NOT NULL,
                sha256 text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            );
            COMMENT ON TABLE schema_migrations IS
                'One row for each step of the tables'' history, with the checksum of its SQL.'
            """)
    }

    private static func apply(
        _ migration: PostgresMigration, on connection: PostgresConnection
    ) throws(PostgresError) {
        // The name is Weir's own, and a checksum has no quotes.
        try connection.runBriefly(
            """
            \(migration.sql);
            INSERT INTO schema_migrations (version, name, sha256)
                VALUES (\(migration.version), '\(migration.name)', '\(migration.sha256)')
            """)
    }
}

extension PostgresMigration {
    /// Of its SQL, in hexadecimal digits.
    var sha256: String {
        Digest.sha256(Array(sql.utf8)).map { UInt64($0).digits(2, radix: 16) }.joined()
    }
}
