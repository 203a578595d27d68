import GRDB

/// Answers questions from the files of the days, beside whoever writes them.
actor SQLiteReader: StoreReader {
    private let directory: SQLiteDirectory
    private let limit: TimeLimit
    private let executor = BlockingExecutor(label: "weir.sqlite.reader")

    init(_ directory: SQLiteDirectory, _ limit: TimeLimit = .default) {
        self.directory = directory
        self.limit = limit
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Asks one day after the other, the newest first.
    func page<Query: StoreQuery>(
        _ query: Query, atMost maximum: ByteCount?
    ) async throws(QueryError) -> Page<Query.Row> {
        try query.validate()
        let days = try days(in: query.remaining)
        return try await limit.run { () async throws(QueryError) -> Page<Query.Row> in
            try await query.answer(in: days, atMost: maximum) { day, count, rows async throws(QueryError) in
                try await self.rows(
                    query.sql(in: query.window, atMost: count, .sqlite), of: day, tables: Query.tables, into: rows)
            }
        }
    }

    private func days(in window: TimeWindow) throws(QueryError) -> [Day] {
        do throws(SQLiteFailure) {
            return try directory.days().filter { window.touches($0) }.reversed()
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func rows(
        _ sql: SQLText, of day: Day, tables: Int, into rows: StoredRows
    ) async throws(QueryError) -> StoredRows {
        let (text, values) = sql.rendered(for: .sqlite)
        do {
            return try await directory.reader(day, tables: tables).read { db in
                let found = try Row.fetchCursor(db, sql: text, arguments: StatementArguments(values.map(\.inSQLite)))
                var rows = rows
                while !rows.isTooMuch, let row = try found.next() { rows.append(row.databaseValues.map(\.text)) }
                return rows
            }
        } catch is CancellationError {
            throw .timedOut(limit.duration)
        } catch {
            // The retention may have taken the file since its name was read.
            guard Directory.has(directory.path(of: day)) else { return rows }
            throw .unavailable("\(SQLiteFailure(directory.path(of: day), error))")
        }
    }
}

extension SQLValue {
    fileprivate var inSQLite: DatabaseValue {
        switch self {
        case .text(let text): text.databaseValue
        case .integer(let number), .row(let number): number.databaseValue
        case .time(let time): time.microseconds.databaseValue
        case .traceID(let id): id.text.databaseValue
        }
    }
}

extension DatabaseValue {
    /// Nil for NULL, and for bytes, which no query asks for.
    fileprivate var text: String? {
        switch storage {
        case .null, .blob: nil
        case .int64(let number): "\(number)"
        case .double(let number): "\(number)"
        case .string(let text): text
        }
    }
}
