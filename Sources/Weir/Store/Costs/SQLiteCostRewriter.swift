import GRDB

/// In the files of days, beside the exporter that writes them.
actor SQLiteCostRewriter: CostRewriter {
    private let directory: SQLiteDirectory
    private let executor = BlockingExecutor(label: "weir.sqlite.costs")

    init(_ directory: SQLiteDirectory) {
        self.directory = directory
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func write(_ repriced: [CostReprice]) throws -> Int {
        var count = 0
        for (day, rows) in Dictionary(grouping: repriced, by: { Day($0.standing.key.start) }) {
            let file = try directory.open(day, at: .now())
            defer { file.close() }
            try settleMidnight(before: day, rows, file)
            count += try file.write(at: .now()) { db in
                let written = try rows.count { try Self.write($0, db) }
                try Self.takeBackAggregates(above: rows, db)
                return written
            }
        }
        return count
    }

    /// Aggregates of the day before that last past midnight, above calls that had no price before. They go first, as
    /// they do where calls are stored.
    private func settleMidnight(before day: Day, _ rows: [CostReprice], _ file: SQLiteFile) throws {
        guard day.number > 0, Directory.has(directory.path(of: day + -1)),
            rows.contains(where: { $0.standing.pico == nil })
        else { return }
        let calls = try file.read { db in
            try rows.reduce(into: Set<SQLiteMidnight.Trace>()) { calls, row in
                let key = row.standing.key
                let tenant = try Int32.fetchOne(
                    db,
                    sql: """
                        SELECT l.tenant_id FROM cost_ledger l JOIN tenants t ON t.id = l.tenant_id
                        WHERE l.trace_id = x'\(key.trace.text)' AND l.span_id = ? AND l.start_time = ? AND l.entry = ?
                            AND t.name = ? AND l.calls = 1 AND l.unpriced = 1 AND l.parent_span_id IS NOT NULL
                        """, arguments: [key.span, key.start.microseconds, row.standing.entry, key.tenant])
                if let tenant { calls.insert(SQLiteMidnight.Trace(tenantID: tenant, id: key.trace)) }
            }
        }
        let before = try directory.open(day + -1, at: .now())
        defer { before.close() }
        try SQLiteMidnight(calls, on: day).settle(dayBefore: { before }, at: .now())
    }

    private static func write(_ row: CostReprice, _ db: Database) throws -> Bool {
        let key = row.standing.key
        // GRDB binds bytes only as Foundation's Data. These are digits.
        let (takesBack, adds) = CostReprice.statements(
            tenant: ":tenant", trace: "x'\(key.trace.text)'", span: ":span", start: ":start", entry: ":entry",
            cost: ":cost", price: ":price", source: ":source", .sqlite)
        let place: StatementArguments = [
            "tenant": key.tenant, "span": key.span, "start": key.start.microseconds, "entry": row.standing.entry,
        ]
        try db.execute(sql: takesBack, arguments: place)
        guard db.changesCount == 1 else { return false }
        let price: StatementArguments = ["cost": row.pico, "price": row.price, "source": row.source.rawValue]
        try db.execute(sql: adds, arguments: place &+ price)
        return true
    }

    /// Above calls that had no price before.
    private static func takeBackAggregates(above rows: [CostReprice], _ db: Database) throws {
        try db.execute(sql: "CREATE TEMP TABLE IF NOT EXISTS touched_traces (trace_id blob PRIMARY KEY) WITHOUT ROWID")
        for trace in Set(rows.map(\.standing.key.trace)) {
            try db.execute(sql: "INSERT INTO touched_traces VALUES (x'\(trace.text)')")
        }
        for correction in [CostCorrections.sqlite.nested, CostCorrections.sqlite.leaves] {
            try db.execute(sql: "WITH RECURSIVE none AS (SELECT 1) \(correction)")
        }
        try db.execute(sql: "DELETE FROM touched_traces")
    }
}
