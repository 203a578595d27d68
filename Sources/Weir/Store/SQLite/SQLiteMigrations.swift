import GRDB

/// Brings a file's tables to where this program wants them.
enum SQLiteMigrations {
    /// A step that a file was given.
    struct Applied: Equatable, Sendable {
        /// The file's name in its directory.
        let file: String
        let version: Int
        let name: String
    }

    /// All files of a directory; creates it, and `meta.db`, where they are missing.
    /// - Returns: what was done, in the order of the files; empty where nothing was to do.
    static func apply(directory path: String, at now: Timestamp = .now()) throws(SQLiteFailure) -> [Applied] {
        let directory = SQLiteDirectory(path)
        try directory.create()
        var applied: [Applied] = []
        func add(_ migrations: [SQLiteMigration], of name: String, _ file: SQLiteFile) {
            let versions = file.applied
            file.close()
            applied += migrations.filter { versions.contains($0.version) }.map {
                Applied(file: name, version: $0.version, name: $0.name)
            }
        }
        let meta = try SQLiteFile(directory.metaPath, SQLiteMigration.meta, at: now)
        add(SQLiteMigration.meta, of: SQLiteDirectory.metaName, meta)
        for day in try directory.days() {
            add(SQLiteMigration.day, of: SQLiteDirectory.name(of: day), try directory.open(day, at: now))
        }
        return applied
    }

    /// Each step as one transaction, so that of several processes one takes it.
    /// - Returns: the versions that were missing.
    static func apply(_ migrations: [SQLiteMigration], to db: Database, at now: Timestamp) throws -> [Int] {
        var applied: [Int] = []
        for migration in migrations where try check(migrations, of: db) < migration.version {
            try db.inTransaction(.immediate) {
                guard try check(migrations, of: db) < migration.version else { return .rollback }
                try db.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS schema_migrations (
                            -- One row for each step that the tables of this file have taken.
                            version integer PRIMARY KEY,
                            name text NOT NULL,
                            sha256 text NOT NULL,
                            applied_at integer NOT NULL
                        )
                        """)
                try db.execute(sql: migration.sql)
                try db.execute(
                    sql: "INSERT INTO schema_migrations (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
                    arguments: [migration.version, migration.name, migration.checksum, now.microseconds])
                applied.append(migration.version)
                return .commit
            }
        }
        return applied
    }

    /// - Returns: the version that the file has; 0 if it is empty.
    /// - Throws: where this program does not know the file's tables.
    @discardableResult
    static func check(_ migrations: [SQLiteMigration], of db: Database) throws -> Int {
        let isThere = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'"
        guard try Int.fetchOne(db, sql: isThere) == 1 else { return 0 }
        let rows = try Row.fetchAll(db, sql: "SELECT version, sha256 FROM schema_migrations ORDER BY version")
        for row in rows {
            let version: Int = row["version"]
            guard let known = migrations.first(where: { $0.version == version }) else {
                let newest = migrations.last?.version ?? 0
                throw DatabaseError(
                    message: "found tables of version \(version), wanted at most \(newest): they are of a newer weir")
            }
            guard row["sha256"] == known.checksum else {
                throw DatabaseError(
                    message: "found a version \(version) of the tables with another checksum, wanted that of this weir")
            }
        }
        return rows.last?["version"] ?? 0
    }
}

extension SQLiteMigration {
    /// The SHA-256 of ``sql``, in hexadecimal digits.
    var checksum: String {
        Digest.sha256(Array(sql.utf8)).reduce(into: "") { $0 += $1.digits(2, radix: 16) }
    }
}

extension Timestamp {
    /// As the tables have times: microseconds since 1970.
    var microseconds: Int64 { Int64(nanoseconds / 1_000) }
}
