import GRDB

/// Data keys in a SQLite file of their own.
final class SQLiteKeyDatabase: KeyDatabase {
    private static let columns = [
        "id", "tenant", "class", "suite", "day", "subject", "created_at", "wrapped_by", "wrapped", "commitment",
    ]
    private static let select = "SELECT \(columns.joined(separator: ", ")), destroyed_at FROM data_keys"

    private let path: String
    private var opened: SQLiteFile?

    init(_ path: String) {
        self.path = path
    }

    func open(at now: Timestamp) throws(KeyError) {
        guard opened == nil else { return }
        do {
            if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
                try Directory.create(String(path[..<slash]))
            }
            let file = try SQLiteFile(path, SQLiteMigration.keys, mode: 0o600, at: now)
            // What is deleted is overwritten.
            try file.runAlone { db in _ = try Int.fetchOne(db, sql: "PRAGMA secure_delete = ON") }
            opened = file
        } catch {
            throw .unavailable("\(error)")
        }
    }

    func close() {
        opened?.close()
        opened = nil
    }

    // MARK: Keys

    func keys(of day: Day, limit: Int) throws(KeyError) -> [DataKeyRow] {
        // The index is no key of a day, so no limit leaves it out. With 3 as a literal it is found by its own index.
        try rows("WHERE day = ? AND class <> 3 AND destroyed_at IS NULL LIMIT ?", [day.number, limit])
            + rows("WHERE class = 3 AND destroyed_at IS NULL", [])
    }

    func keys(_ ids: [UInt64]) throws(KeyError) -> [DataKeyRow] {
        let places = Array(repeating: "?", count: ids.count).joined(separator: ",")
        return try rows("WHERE id IN (\(places))", StatementArguments(ids.map { Int64(bitPattern: $0) }))
    }

    func keys(after id: UInt64?, limit: Int) throws(KeyError) -> [DataKeyRow] {
        guard let id else { return try rows("ORDER BY id LIMIT ?", [limit]) }
        return try rows("WHERE id > ? ORDER BY id LIMIT ?", [Int64(bitPattern: id), limit])
    }

    func insert(_ rows: [DataKeyRow]) throws(KeyError) {
        let places = Array(repeating: "?", count: Self.columns.count + 1).joined(separator: ", ")
        let sql = """
            INSERT INTO data_keys (\(Self.columns.joined(separator: ", ")), destroyed_at) VALUES (\(places))
            ON CONFLICT DO NOTHING
            """
        try write { db in
            for row in rows {
                try db.execute(
                    sql: sql,
                    arguments: [
                        Int64(bitPattern: row.id), row.tenant, row.keyClass.rawValue, row.suite.rawValue,
                        row.day.number, row.subject.hexadecimal, row.createdAt.microseconds, row.wrappedBy,
                        row.isDestroyed ? nil : row.wrapped.hexadecimal, row.commitment.hexadecimal,
                        row.destroyedAt?.microseconds,
                    ])
            }
        }
    }

    func rewrap(_ rows: [DataKeyRow]) throws(KeyError) {
        try write { db in
            for row in rows {
                try db.execute(
                    sql: "UPDATE data_keys SET wrapped = ?, wrapped_by = ? WHERE id = ? AND destroyed_at IS NULL",
                    arguments: [row.wrapped.hexadecimal, row.wrappedBy, Int64(bitPattern: row.id)])
            }
        }
    }

    func destroy(_ ids: [UInt64], at now: Timestamp) throws(KeyError) -> [UInt64] {
        try write { db in
            try ids.filter { id in
                try db.execute(
                    sql: """
                        UPDATE data_keys SET wrapped = NULL, destroyed_at = ?
                        WHERE id = ? AND destroyed_at IS NULL AND class <> 3
                        """, arguments: [now.microseconds, Int64(bitPattern: id)])
                return db.changesCount > 0
            }
        }
    }

    func wipe() {
        // The log holds the pages as they were.
        opened?.checkpoint()
    }

    func ids(_ selection: KeySelection) throws(KeyError) -> [UInt64] {
        try read { db in
            let (condition, arguments) = Self.condition(selection)
            return try Int64.fetchAll(
                db, sql: "SELECT id FROM data_keys WHERE class <> 3 AND \(condition)", arguments: arguments
            ).map { UInt64(bitPattern: $0) }
        }
    }

    func subjects(_ tags: [[UInt8]], of tenant: String) throws(KeyError) -> [[UInt8]: Timestamp] {
        let places = Array(repeating: "?", count: tags.count).joined(separator: ",")
        return try read { db in
            // The empty one is of keys that are nobody's; saying so leads to the index.
            let found = try Row.fetchAll(
                db,
                sql: """
                    SELECT subject, min(created_at) FROM data_keys
                    WHERE tenant = ? AND subject <> '' AND subject IN (\(places)) AND destroyed_at IS NULL
                    GROUP BY subject
                    """, arguments: StatementArguments([tenant] + tags.map(\.hexadecimal)))
            return Dictionary(found.map { (Self.bytes($0[0]), Self.time($0[1])) }) { first, _ in first }
        }
    }

    func destroyed(within age: Duration, at now: Timestamp) throws(KeyError) -> [UInt64] {
        try read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM data_keys WHERE destroyed_at >= ?",
                arguments: [now.microseconds - Int64(age / .microseconds(1))]
            ).map { UInt64(bitPattern: $0) }
        }
    }

    private static func condition(_ selection: KeySelection) -> (String, StatementArguments) {
        switch selection {
        case .id(let id): ("id = ?", [Int64(bitPattern: id)])
        case .subject(let tenant, let tag): ("tenant = ? AND subject = ?", [tenant, tag.hexadecimal])
        case .tenant(let tenant, let day): ("tenant = ? AND day < ?", [tenant, day.number])
        }
    }

    // MARK: What was done

    func audit(_ entry: KeyAuditEntry) throws(KeyError) {
        try write { db in
            try db.execute(
                sql: "INSERT INTO key_audit (at, actor, action, detail) VALUES (?, ?, ?, ?)",
                arguments: [entry.at.microseconds, entry.actor, entry.action, entry.detail])
        }
    }

    func audits(limit: Int) throws(KeyError) -> [KeyAuditEntry] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT at, actor, action, detail FROM key_audit ORDER BY id DESC LIMIT ?", arguments: [limit]
            ).map { row in
                KeyAuditEntry(
                    at: Self.time(row["at"]), actor: row["actor"], action: row["action"], detail: row["detail"])
            }
        }
    }

    func backUp(to path: String, at now: Timestamp) throws(KeyError) {
        do {
            // Made for its owner only before anything is in it.
            try Directory.createPrivateFile(path)
        } catch {
            throw .unavailable("\(error)")
        }
        // Remembered before it has a key, so that there is none that nobody knows of.
        try write { db in
            try db.execute(
                sql: "INSERT INTO key_backups (path, made_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                arguments: [path, now.microseconds])
        }
        do {
            try file().runAlone { db in try db.execute(sql: "VACUUM INTO ?", arguments: [path]) }
        } catch {
            throw .unavailable("\(error)")
        }
    }

    func backups() throws(KeyError) -> [String] {
        try read { db in try String.fetchAll(db, sql: "SELECT path FROM key_backups ORDER BY made_at") }
    }

    func forget(backup path: String) throws(KeyError) {
        try write { db in try db.execute(sql: "DELETE FROM key_backups WHERE path = ?", arguments: [path]) }
    }

    // MARK: The file

    private func rows(_ condition: String, _ arguments: StatementArguments) throws(KeyError) -> [DataKeyRow] {
        try read { db in
            try Row.fetchAll(db, sql: "\(Self.select) \(condition)", arguments: arguments).compactMap(Self.row)
        }
    }

    /// - Returns: nil for one that a later version wrote.
    private static func row(_ row: Row) -> DataKeyRow? {
        guard let keyClass = KeyClass(rawValue: row["class"]), let suite = CipherSuite(rawValue: row["suite"]) else {
            return nil
        }
        let destroyed: Int64? = row["destroyed_at"]
        return DataKeyRow(
            id: UInt64(bitPattern: row["id"] as Int64), tenant: row["tenant"], keyClass: keyClass, suite: suite,
            day: Day(number: row["day"]), subject: bytes(row["subject"]), createdAt: time(row["created_at"]),
            wrappedBy: row["wrapped_by"], wrapped: bytes(row["wrapped"]), commitment: bytes(row["commitment"]),
            destroyedAt: destroyed.map(time))
    }

    private static func bytes(_ text: String?) -> [UInt8] { text.flatMap { [UInt8](hexadecimal: $0) } ?? [] }

    private static func time(_ microseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: UInt64(clamping: microseconds) &* 1_000)
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(KeyError) -> Value {
        do {
            return try file().read(body)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    @discardableResult
    private func write<Value>(_ body: (Database) throws -> Value) throws(KeyError) -> Value {
        do {
            return try file().write(at: .now(), body)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func file() throws(SQLiteFailure) -> SQLiteFile {
        guard let opened else { throw SQLiteFailure(path, "is not open") }
        return opened
    }
}
