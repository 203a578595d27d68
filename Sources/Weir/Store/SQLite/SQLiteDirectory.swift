import GRDB

/// The directory of the hot tables: a file for each day that has spans, and one for what outlives days. Files of other
/// names are not touched.
struct SQLiteDirectory: Sendable {
    static let metaName = "meta.db"
    private static let prefix = "spans-"
    private static let suffix = ".db"
    /// What SQLite puts beside a file, and removes when all have closed it.
    private static let companions = ["-wal", "-shm"]

    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// `spans-20260203.db`
    static func name(of day: Day) -> String { prefix + day.compact + suffix }

    func path(of day: Day) -> String { "\(path)/\(Self.name(of: day))" }
    var metaPath: String { "\(path)/\(Self.metaName)" }

    /// Creates what is missing of the directory.
    func create() throws(SQLiteFailure) {
        do {
            try Directory.create(path)
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    /// The days that have a file, oldest first; none where there is no directory.
    func days() throws(SQLiteFailure) -> [Day] {
        try names().compactMap(Self.day).sorted()
    }

    /// As ``days()``, and those of which a removal that did not end has left something.
    func daysOrLeftovers() throws(SQLiteFailure) -> Set<Day> {
        Set(
            try names().compactMap { name in
                let companion = Self.companions.first { name.hasSuffix($0) }
                return Self.day(String(name.dropLast(companion?.count ?? 0)))
            })
    }

    /// The day's file, for writing. Creates it where it is missing.
    func open(_ day: Day, at now: Timestamp) throws(SQLiteFailure) -> SQLiteFile {
        try alone { () throws(SQLiteFailure) in try SQLiteFile(path(of: day), SQLiteMigration.day, at: now) }
    }

    /// For reading only, beside whoever writes. Throws where there is no file, or where its tables are not those that
    /// this program knows.
    func reader(_ day: Day, tables: Int = 1) throws(SQLiteFailure) -> DatabaseQueue {
        try reader(path(of: day), SQLiteMigration.day, tables)
    }

    /// As ``reader(_:)``, for what outlives days: tenants and rejects.
    func metaReader() throws(SQLiteFailure) -> DatabaseQueue {
        try reader(metaPath, SQLiteMigration.meta, 1)
    }

    /// What a query of numbers finds in a day's file.
    func sequences(on day: Day, _ sql: String) throws(SQLiteFailure) -> Set<UInt64> {
        let reader = try reader(day)
        do {
            return try reader.read { db in Set(try Int64.fetchAll(db, sql: sql).map { UInt64(bitPattern: $0) }) }
        } catch {
            throw SQLiteFailure(path(of: day), error)
        }
    }

    /// What a query of journals, tenants and counts finds in a day's file; nothing where there is none.
    func spans(on day: Day, _ sql: String) throws(SQLiteFailure) -> [SpanOrigin: Int] {
        guard Directory.has(path(of: day)) else { return [:] }
        let reader = try reader(day)
        do {
            return try reader.read { db in
                var counts: [SpanOrigin: Int] = [:]
                for row in try Row.fetchAll(db, sql: sql) {
                    let journal = JournalID(value: UInt64(bitPattern: row[0]))
                    counts[SpanOrigin(journal: journal, tenant: row[1])] = row[2]
                }
                return counts
            }
        } catch {
            throw SQLiteFailure(path(of: day), error)
        }
    }

    /// Takes the day's file away, which this process has closed. Who still reads it has it until the end.
    func remove(_ day: Day) throws(SQLiteFailure) {
        let path = path(of: day)
        try alone { () throws(SQLiteFailure) in
            do {
                for name in [path] + Self.companions.map({ path + $0 }) {
                    do throws(FileError) {
                        try Directory.removeFile(name)
                    } catch {
                        if !error.isMissing { throw error }
                    }
                }
                try Directory.sync(self.path)
            } catch {
                throw SQLiteFailure(path, error)
            }
        }
    }

    /// Nobody else who does so makes or removes a day's file meanwhile. Its log goes by name behind it, and would be
    /// that of a file which was made in between.
    private func alone<Value>(_ body: () throws(SQLiteFailure) -> Value) throws(SQLiteFailure) -> Value {
        let lock: FileLock?
        do {
            // Of a directory that is gone nobody makes a file.
            lock = try FileLock.take("\(path)/.", waits: true)
        } catch {
            throw SQLiteFailure(path, error)
        }
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

    /// Bytes of a file with its log.
    func size(of path: String) -> Int {
        ([path] + Self.companions.prefix(1).map { path + $0 }).reduce(0) { sum, name in
            // What is gone has no bytes.
            sum + ((try? Directory.size(ofFile: name)) ?? 0)
        }
    }

    private func reader(
        _ path: String, _ migrations: [SQLiteMigration], _ tables: Int
    ) throws(SQLiteFailure) -> DatabaseQueue {
        let reader = try SQLiteFile.reader(path)
        do {
            if try reader.read({ db in try SQLiteMigrations.check(migrations, of: db) }) >= tables { return reader }
            // It is being made, or too old to have what is asked for: as good as tables without rows.
            let empty = try DatabaseQueue()
            _ = try empty.writeWithoutTransaction { db in
                try SQLiteMigrations.apply(migrations, to: db, at: .now())
            }
            return empty
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    private func names() throws(SQLiteFailure) -> [String] {
        do {
            return try Directory.names(in: path)
        } catch  where error.isMissing {
            return []
        } catch {
            throw SQLiteFailure(path, error)
        }
    }

    private static func day(_ name: String) -> Day? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
        return Day(compact: name.dropFirst(prefix.count).dropLast(suffix.count))
    }
}
