/// In a table of the database, in a session of its own.
actor PostgresBudgetLog: BudgetLog {
    private let address: String
    private let schema: String
    private let executor = BlockingExecutor(label: "weir.postgres.budgets")
    private var connection: PostgresConnection?

    init(_ address: String, schema: String) {
        self.address = address
        self.schema = schema
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// All of them or none: who is told that it failed comes again with all.
    func record(_ crossings: [BudgetCrossing]) throws -> [BudgetCrossing] {
        guard !crossings.isEmpty else { return [] }
        let columns = BudgetLogLimits.columns.joined(separator: ", ")
        try run("BEGIN", [])
        let new = try crossings.filter { crossing in
            let key = crossing.key
            let texts = [
                key.budget, key.tenant, crossing.scope.rawValue, key.id, crossing.window.rawValue, key.windowStart.text,
                key.level.rawValue, crossing.threshold.inDollars, crossing.spent.inDollars, crossing.at.text,
            ]
            let added = try run(
                """
                INSERT INTO budget_crossings (\(columns)) VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7, $8::numeric,
                    $9::numeric, $10::timestamptz) ON CONFLICT DO NOTHING
                """, texts)
            return added.affectedCount == 1
        }
        try commit()
        return new
    }

    private func commit() throws(PostgresError) {
        do {
            try connection?.commit()
        } catch {
            connection = nil
            throw error
        }
    }

    func unnotified(since time: Timestamp) throws -> [BudgetCrossing] {
        let columns = BudgetLogLimits.columns.map { column in
            ["window_start", "crossed_at"].contains(column)
                ? "CAST(extract(epoch FROM \(column)) * 1000000 AS bigint)" : column
        }
        let rows = try run(
            """
            SELECT \(columns.joined(separator: ", ")) FROM budget_crossings
            WHERE notified_at IS NULL AND crossed_at >= $1::timestamptz
            ORDER BY crossed_at LIMIT \(BudgetLogLimits.maximumUnnotified)
            """, [time.text])
        return (0..<rows.count).compactMap { row in
            BudgetCrossing((0..<rows.columnCount).map { rows.text(row, $0) })
        }
    }

    func noteNotified(_ key: BudgetCrossing.Key, at now: Timestamp) throws {
        try run(
            """
            UPDATE budget_crossings SET notified_at = $1::timestamptz
            WHERE budget = $2 AND tenant = $3 AND scope_id = $4 AND window_start = $5::timestamptz AND level = $6
            """, [now.text, key.budget, key.tenant, key.id, key.windowStart.text, key.level.rawValue])
    }

    @discardableResult
    private func run(_ sql: String, _ values: [String]) throws(PostgresError) -> PostgresResult {
        do {
            let session = if let connection { connection } else { try PostgresSession.open(address, schema: schema) }
            connection = session
            return try session.run(sql, values.map(PostgresParameter.text))
        } catch {
            connection = nil
            throw error
        }
    }
}
