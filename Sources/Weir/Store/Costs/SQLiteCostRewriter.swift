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
            let file = try SQLiteFile(directory.path(of: day), SQLiteMigration.day, at: .now())
            defer { file.close() }
            count += try file.write(at: .now()) { db in
                let written = try rows.count { try Self.write($0, db) }
                try Self.takeBackAggregates(above: rows, db)
                return written
            }
        }
        return count
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
