import GRDB

/// What there is in a directory of hot tables, as somebody finds it who only looks.
struct SQLiteStatus: Equatable, Sendable {
    struct DayFile: Equatable, Sendable {
        let day: Day
        /// As its ledger counts them.
        let spans: Int
        /// With its log.
        let bytes: Int
        let schemaVersion: Int
    }

    /// Oldest first.
    let days: [DayFile]
    /// By their ids, as the days that are left have them together.
    let journals: [StoredJournal]
    /// Spans that the tables did not take.
    let rejects: Int
    /// Of all files.
    let bytes: Int

    static func read(directory path: String) throws(SQLiteFailure) -> SQLiteStatus {
        let directory = SQLiteDirectory(path)
        var days: [DayFile] = []
        var runs: [StoredJournal.Run] = []
        for day in try directory.days() {
            let path = directory.path(of: day)
            let file = try read(directory.reader(day), path) { db in
                let stored = try self.runs(of: db)
                runs += stored
                return DayFile(
                    day: day, spans: stored.reduce(0) { $0 + $1.spans }, bytes: directory.size(of: path),
                    schemaVersion: try SQLiteMigrations.check(SQLiteMigration.day, of: db))
            }
            days.append(file)
        }
        var rejects = 0
        if Directory.has(directory.metaPath) {
            rejects = try read(directory.metaReader(), directory.metaPath) { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM rejects") ?? 0
            }
        }
        return SQLiteStatus(
            days: days, journals: StoredJournal.journals(of: runs), rejects: rejects,
            bytes: days.reduce(directory.size(of: directory.metaPath)) { $0 + $1.bytes })
    }

    private static func runs(of db: Database) throws -> [StoredJournal.Run] {
        let ledger = "SELECT journal, first_sequence, last_sequence, spans, rejected, updated_at FROM ledger"
        return try Row.fetchAll(db, sql: ledger).map { row in
            StoredJournal.Run(
                journal: JournalID(value: UInt64(bitPattern: row["journal"])),
                first: UInt64(clamping: row["first_sequence"] as Int64),
                last: UInt64(clamping: row["last_sequence"] as Int64), spans: row["spans"], rejected: row["rejected"],
                updatedAt: Timestamp(nanoseconds: UInt64(clamping: row["updated_at"] as Int64) * 1_000))
        }
    }

    private static func read<Value>(
        _ reader: DatabaseQueue, _ path: String, _ body: (Database) throws -> Value
    ) throws(SQLiteFailure) -> Value {
        do {
            return try reader.read(body)
        } catch {
            throw SQLiteFailure(path, error)
        }
    }
}
