import GRDB
import GRDBSQLite

/// A file of the hot tables, open for writing by this process. Others may have it open as well; SQLite's locks keep
/// them apart.
final class SQLiteFile {
    /// How long a lock of another process is waited for.
    static let busyTimeout = Duration.seconds(5)
    private static let idleNanoseconds: UInt64 = 5_000_000_000
    /// Of pages that SQLite has in memory.
    private static let cachedKibibytes = 131_072
    /// 256 MiB: SQLite copies what was written to the file itself when the log is that long.
    private static let checkpointPages = 16_000
    /// Files that have as much as one alone. What these have more files share.
    private static let few = 4

    let path: String
    /// Versions of the tables that were missing when it was opened.
    let applied: [Int]
    private let queue: DatabaseQueue
    /// Nil when everything that was written is in the file itself.
    private(set) var wroteAt: Timestamp?

    /// Creates what is missing of the file and of its tables.
    /// - Parameter mode: of a file that is made.
    init(
        _ path: String, _ migrations: [SQLiteMigration], mode: UInt32 = 0o640, at now: Timestamp
    ) throws(SQLiteFailure) {
        self.path = path
        do {
            queue = try DatabaseQueue(path: path, configuration: Self.configuration(path, mode))
            applied = try queue.writeWithoutTransaction { db in
                try SQLiteMigrations.apply(migrations, to: db, at: now)
            }
            if !applied.isEmpty { wroteAt = now }
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    /// For reading only, beside whoever writes.
    static func reader(_ path: String) throws(SQLiteFailure) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(busyTimeout / .seconds(1))
        configuration.foreignKeysEnabled = false
        do {
            return try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    /// What `body` writes is on the disk when this returns, and not there at all when it throws.
    func write<Value>(at now: Timestamp, _ body: (Database) throws -> Value) throws(SQLiteFailure) -> Value {
        do {
            let value = try queue.writeWithoutTransaction { db in
                var value: Value?
                try db.inTransaction(.immediate) {
                    guard !isMoved(db) else { throw SQLiteFailure(path, "was removed or replaced while it was open") }
                    value = try body(db)
                    return .commit
                }
                return value
            }
            guard let value else { throw SQLiteFailure(path, "ended a transaction without an answer") }
            wroteAt = now
            return value
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    /// - Parameter count: files that are open, this one among them.
    func share(with count: Int) throws(SQLiteFailure) {
        let (few, all) = (Self.few, max(Self.few, count))
        try runAlone { db in
            try db.execute(
                sql: """
                    PRAGMA cache_size = \(-Self.cachedKibibytes * few / all);
                    PRAGMA wal_autocheckpoint = \(Self.checkpointPages * few / all);
                    """)
        }
    }

    /// For statements that SQLite takes outside of transactions only.
    func runAlone<Value>(_ body: (Database) throws -> Value) throws(SQLiteFailure) -> Value {
        do {
            return try queue.writeWithoutTransaction(body)
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(SQLiteFailure) -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    /// Tidies up when nothing was written for a while.
    func checkpointIfIdle(at now: Timestamp) {
        guard let wroteAt else { return }
        // A clock that was set back makes it idle too.
        if now < wroteAt || now.nanoseconds - wroteAt.nanoseconds >= Self.idleNanoseconds { checkpoint() }
    }

    /// Copies everything to the file itself and empties its log, unless somebody is reading it. Never waits.
    func checkpoint() {
        let isDone = queue.writeWithoutTransaction { db in
            sqlite3_busy_timeout(db.sqliteConnection, 0)
            defer { sqlite3_busy_timeout(db.sqliteConnection, Int32(Self.busyTimeout / .milliseconds(1))) }
            return (try? db.checkpoint(.truncate)) != nil
        }
        if isDone { wroteAt = nil }
    }

    func close() {
        queue.writeWithoutTransaction { db in
            guard isMoved(db) else { return }
            // The last to close a database removes its log, by name: that name may be another file's by now.
            var persists: Int32 = 1
            sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &persists)
        }
        checkpoint()
        try? queue.close()
    }

    private func isMoved(_ db: Database) -> Bool {
        var isMoved: Int32 = 0
        let code = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_HAS_MOVED, &isMoved)
        return code == SQLITE_OK && isMoved != 0
    }

    private static func configuration(_ path: String, _ mode: UInt32) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout / .seconds(1))
        configuration.foreignKeysEnabled = false
        // A rollback that fails is no reason to end the process: the file is closed, which ends the transaction.
        configuration.allowsUnsafeTransactions = true
        configuration.prepareDatabase { db in
            if try Int.fetchOne(db, sql: "PRAGMA page_count") == 0 {
                // SQLite makes files for everybody to read. What it puts beside this one has the same mode.
                try Directory.setMode(ofFile: path, to: mode)
                try db.execute(sql: "PRAGMA page_size = 16384")
            }
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                let found = mode ?? "none"
                throw DatabaseError(message: "found journal mode \(found), wanted wal, as on a local file system")
            }
            // No mmap_size: a disk that fails, or a file that is cut short, would end the process.
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA cache_size = \(-cachedKibibytes);
                    PRAGMA temp_store = MEMORY;
                    PRAGMA wal_autocheckpoint = \(checkpointPages);
                    """)
        }
        return configuration
    }
}
