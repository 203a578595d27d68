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

    struct Journal: Equatable, Sendable {
        let id: JournalID
        /// The highest that any day has.
        var lastSequence: UInt64
        /// In all days that are left.
        var spans: Int
        /// Spans of theirs that are in the rejects.
        var rejected: Int
        /// When the newest of them was stored.
        var updatedAt: Timestamp
    }

    /// Oldest first.
    let days: [DayFile]
    /// By their ids.
    let journals: [Journal]
    /// Spans that the tables did not take.
    let rejects: Int
    /// Of all files.
    let bytes: Int

    static func read(directory path: String) throws(SQLiteFailure) -> SQLiteStatus {
        let directory = SQLiteDirectory(path)
        var days: [DayFile] = []
        var journals: [JournalID: Journal] = [:]
        for day in try directory.days() {
            let path = directory.path(of: day)
            let file = try read(directory.reader(day), path) { db in
                let ledger = "SELECT journal, last_sequence, spans, rejected, updated_at FROM ledger"
                for row in try Row.fetchAll(db, sql: ledger) {
                    let id = JournalID(value: UInt64(bitPattern: row["journal"]))
                    let nothing = Journal(
                        id: id, lastSequence: 0, spans: 0, rejected: 0, updatedAt: Timestamp(nanoseconds: 0))
                    var journal = journals[id] ?? nothing
                    journal.lastSequence = max(journal.lastSequence, UInt64(clamping: row["last_sequence"] as Int64))
                    journal.spans += row["spans"] as Int
                    journal.rejected += row["rejected"] as Int
                    let updatedAt = Timestamp(nanoseconds: UInt64(clamping: row["updated_at"] as Int64) * 1_000)
                    journal.updatedAt = max(journal.updatedAt, updatedAt)
                    journals[id] = journal
                }
                return DayFile(
                    day: day, spans: try Int.fetchOne(db, sql: "SELECT sum(spans) FROM ledger") ?? 0,
                    bytes: directory.size(of: path),
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
            days: days, journals: journals.values.sorted { $0.id.value < $1.id.value }, rejects: rejects,
            bytes: days.reduce(directory.size(of: directory.metaPath)) { $0 + $1.bytes })
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
