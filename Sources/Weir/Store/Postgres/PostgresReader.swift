/// Answers questions from the tables in Postgres. Each question that is asked has a session for itself; some are kept
/// for the next ones.
actor PostgresReader: StoreReader {
    private static let maxIdle = 4

    private let connection: String
    private let schema: String
    private let limit: TimeLimit
    private let clock: @Sendable () -> Timestamp
    private var idle: [PostgresReaderSession] = []

    /// - Parameters:
    ///   - connection: a connection string, URL or keywords.
    ///   - schema: where the tables are; see ``PostgresSession/isName(_:)``.
    init(
        _ connection: String, schema: String, _ limit: TimeLimit = .default,
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) {
        self.connection = connection
        self.schema = schema
        self.limit = limit
        self.clock = clock
    }

    func page<Query: StoreQuery>(
        _ query: Query, atMost maximum: ByteCount?
    ) async throws(QueryError) -> Page<Query.Row> {
        try query.validate()
        let session = idle.popLast() ?? PostgresReaderSession(connection, schema: schema, limit)
        defer { if idle.count < Self.maxIdle { idle.append(session) } }
        let parts = query.parts(at: clock())
        return try await limit.run { () async throws(QueryError) -> Page<Query.Row> in
            try await query.answer(in: parts, atMost: maximum) { window, count, rows async throws(QueryError) in
                try await session.rows(query.sql(in: window, atMost: count, .postgres), into: rows)
            }
        }
    }
}
