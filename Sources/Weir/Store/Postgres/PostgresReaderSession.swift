/// A session that reads, on a thread of its own.
actor PostgresReaderSession {
    private let address: String
    private let schema: String
    private let limit: TimeLimit
    private let executor = BlockingExecutor(label: "weir.postgres.reader")
    private let interrupt = Interrupt()
    /// Nil before the first statement, and after one that did not end well.
    private var connection: PostgresConnection?

    init(_ address: String, schema: String, _ limit: TimeLimit) {
        self.address = address
        self.schema = schema
        self.limit = limit
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Runs a query. Ends the session when the task is cancelled.
    func rows(_ sql: SQLText, into rows: StoredRows = StoredRows()) async throws(QueryError) -> StoredRows {
        let (text, values) = sql.rendered(for: .postgres)
        let parameters = values.map { PostgresParameter.text(SQLDialect.postgres.text(of: $0)) }
        let result = await withTaskCancellationHandler {
            // The session that was kept may have ended meanwhile. What only reads can be said again.
            let wasOpen = connection != nil
            let first = run(text, parameters, into: rows)
            if case .failure(let error) = first, wasOpen, error.state != Self.cancelled, !Task.isCancelled {
                return run(text, parameters, into: rows)
            }
            return first
        } onCancel: {
            interrupt.raise()
        }
        switch result {
        case .success(let rows): return rows
        case .failure(let error):
            if Task.isCancelled || error.state == Self.cancelled { throw .timedOut(limit.duration) }
            throw .unavailable("\(error)")
        }
    }

    /// SQLSTATE of a statement that took longer than it may.
    private static let cancelled = "57014"

    private func run(
        _ sql: String, _ parameters: [PostgresParameter], into rows: StoredRows
    ) -> Result<StoredRows, PostgresError> {
        var rows = rows
        do throws(PostgresError) {
            let session = if let connection { connection } else { try open() }
            connection = session
            try session.forEachRow(sql, parameters) { result in
                rows.append((0..<result.columnCount).map { result.text(0, $0) })
                return !rows.isTooMuch
            }
            if rows.isTooMuch { connection = nil }
            return .success(rows)
        } catch {
            connection = nil
            return .failure(error)
        }
    }

    private func open() throws(PostgresError) -> PostgresConnection {
        interrupt.reset()
        // If it was raised a moment ago, this is what it was raised for.
        guard !Task.isCancelled else { throw PostgresError("cancelled") }
        let connection = try PostgresSession.open(address, schema: schema, interrupt: interrupt)
        try connection.run(
            """
            SET default_transaction_read_only = on;
            SET statement_timeout = \(Int64(max(1, limit.duration / .milliseconds(1))))
            """)
        guard try PostgresMigrations.status(on: connection).applied > 0 else {
            throw PostgresError(
                "found no tables in schema \(schema), wanted those that `weir store migrate` or the exporter makes")
        }
        return connection
    }
}
