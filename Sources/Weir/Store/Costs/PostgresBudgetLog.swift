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
                INSERT INTO budget_crossings AS b (\(columns)) VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7,
                    $8::numeric, $9::numeric, $10::timestamptz)
                ON CONFLICT (budget, tenant, scope_id, window_start, level) DO UPDATE SET
                    threshold = excluded.threshold, spent = excluded.spent, crossed_at = excluded.crossed_at,
                    notified_at = NULL
                WHERE excluded.threshold > b.threshold AND b.level <> 'spike'
                """, texts.map(PostgresParameter.text))
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

    func unnotified(of budgets: [String], since time: Timestamp) throws -> [BudgetCrossing] {
        let columns = BudgetLogLimits.columns.map { column in
            ["window_start", "crossed_at"].contains(column)
                ? "CAST(extract(epoch FROM \(column)) * 1000000 AS bigint)" : column
        }
        let rows = try run(
            """
            SELECT \(columns.joined(separator: ", ")) FROM budget_crossings
            WHERE notified_at IS NULL AND crossed_at >= $1::timestamptz AND budget = ANY ($2::text[])
            ORDER BY crossed_at LIMIT \(BudgetLogLimits.maximumUnnotified)
            """, [.text(time.text), .array(budgets)])
        return (0..<rows.count).compactMap { row in
            BudgetCrossing((0..<rows.columnCount).map { rows.text(row, $0) })
        }
    }

    /// A lock of the session, which ends with it: what a process has claimed that dies, another one tells.
    func claim(_ crossing: BudgetCrossing) throws -> Bool {
        let subject = "concat('crossing ', jsonb_build_array($1::text, $2::text, $3::text, $4::text, $5::text))"
        let key = PostgresLock.key(of: subject)
        let isMine = try run("SELECT pg_try_advisory_lock(\(key))", Array(Self.key(of: crossing).dropLast())).bool(0, 0)
        guard isMine else { return false }
        let open = try run(
            "SELECT 1 FROM budget_crossings WHERE \(Self.isCrossing) AND notified_at IS NULL", Self.key(of: crossing))
        if open.count == 0 { try release() }
        return open.count > 0
    }

    func release() throws {
        try run("SELECT pg_advisory_unlock_all()", [])
    }

    func noteNotified(_ crossing: BudgetCrossing, at now: Timestamp) throws {
        try run(
            "UPDATE budget_crossings SET notified_at = $7::timestamptz WHERE \(Self.isCrossing)",
            Self.key(of: crossing) + [.text(now.text)])
        try release()
    }

    private static let isCrossing = """
        budget = $1 AND tenant = $2 AND scope_id = $3 AND window_start = $4::timestamptz AND level = $5
            AND threshold = $6::numeric
        """

    private static func key(of crossing: BudgetCrossing) -> [PostgresParameter] {
        let key = crossing.key
        return [
            key.budget, key.tenant, key.id, key.windowStart.text, key.level.rawValue, crossing.threshold.inDollars,
        ].map(PostgresParameter.text)
    }

    @discardableResult
    private func run(_ sql: String, _ values: [PostgresParameter]) throws(PostgresError) -> PostgresResult {
        do {
            let session = if let connection { connection } else { try PostgresSession.open(address, schema: schema) }
            connection = session
            return try session.run(sql, values)
        } catch {
            connection = nil
            throw error
        }
    }
}
