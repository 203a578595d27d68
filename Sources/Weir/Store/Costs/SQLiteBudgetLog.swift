import GRDB

/// In the file of what outlives days.
actor SQLiteBudgetLog: BudgetLog {
    private let directory: SQLiteDirectory
    private let executor = BlockingExecutor(label: "weir.sqlite.budgets")
    private var file: SQLiteFile?

    init(_ directory: SQLiteDirectory) {
        self.directory = directory
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func record(_ crossings: [BudgetCrossing]) throws -> [BudgetCrossing] {
        guard let now = crossings.map(\.at).max() else { return [] }
        let places = Array(repeating: "?", count: BudgetLogLimits.columns.count).joined(separator: ", ")
        let columns = BudgetLogLimits.columns.joined(separator: ", ")
        return try write(at: now) { db in
            try crossings.filter { crossing in
                let key = crossing.key
                try db.execute(
                    sql: """
                        INSERT INTO budget_crossings AS b (\(columns)) VALUES (\(places))
                        ON CONFLICT (budget, tenant, scope_id, window_start, level) DO UPDATE SET
                            threshold = excluded.threshold, spent = excluded.spent, crossed_at = excluded.crossed_at,
                            notified_at = NULL
                        WHERE CAST(excluded.threshold AS real) > CAST(b.threshold AS real) AND b.level <> 'spike'
                        """,
                    arguments: [
                        key.budget, key.tenant, crossing.scope.rawValue, key.id, crossing.window.rawValue,
                        key.windowStart.microseconds, key.level.rawValue, crossing.threshold.inDollars,
                        crossing.spent.inDollars, crossing.at.microseconds,
                    ])
                return db.changesCount == 1
            }
        }
    }

    func unnotified(of budgets: [String], since time: Timestamp) throws -> [BudgetCrossing] {
        let columns = BudgetLogLimits.columns.map { "CAST(\($0) AS text)" }.joined(separator: ", ")
        return try open(at: time).read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT \(columns) FROM budget_crossings WHERE notified_at IS NULL AND crossed_at >= ?
                        AND budget IN (\(budgets.map { _ in "?" }.joined(separator: ", ")))
                    ORDER BY crossed_at LIMIT \(BudgetLogLimits.maximumUnnotified)
                    """, arguments: StatementArguments([time.microseconds]) + StatementArguments(budgets)
            ).compactMap { row in BudgetCrossing((0..<row.count).map { row[$0] as String? }) }
        }
    }

    /// No other process has the directory.
    func claim(_ crossing: BudgetCrossing) throws -> Bool {
        try open(at: crossing.at).read { db in
            let open = "SELECT EXISTS (SELECT 1 FROM budget_crossings WHERE \(Self.isCrossing) AND notified_at IS NULL)"
            return try Bool.fetchOne(db, sql: open, arguments: Self.key(of: crossing)) ?? false
        }
    }

    func release() {}

    func noteNotified(_ crossing: BudgetCrossing, at now: Timestamp) throws {
        try write(at: now) { db in
            try db.execute(
                sql: "UPDATE budget_crossings SET notified_at = ? WHERE \(Self.isCrossing)",
                arguments: StatementArguments([now.microseconds]) + Self.key(of: crossing))
        }
    }

    private static let isCrossing =
        "budget = ? AND tenant = ? AND scope_id = ? AND window_start = ? AND level = ? AND threshold = ?"

    private static func key(of crossing: BudgetCrossing) -> StatementArguments {
        let key = crossing.key
        return [
            key.budget, key.tenant, key.id, key.windowStart.microseconds, key.level.rawValue,
            crossing.threshold.inDollars,
        ]
    }

    private func write<Value>(at now: Timestamp, _ body: (Database) throws -> Value) throws -> Value {
        do {
            return try open(at: now).write(at: now, body)
        } catch {
            // The next attempt begins with what the directory then holds.
            file?.close()
            file = nil
            throw error
        }
    }

    private func open(at now: Timestamp) throws(SQLiteFailure) -> SQLiteFile {
        if let file { return file }
        try directory.create()
        let opened = try SQLiteFile(directory.metaPath, SQLiteMigration.meta, at: now)
        file = opened
        return opened
    }
}
