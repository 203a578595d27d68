import GRDB

/// What the files of two days have to know of each other: an aggregate that lasts past midnight, and calls of its trace
/// on the day after. A call with a price takes back all such aggregates of its trace, wherever below them it is.
///
/// The other file is asked before a day is written, and what is to be corrected in it is corrected first. So nothing is
/// missing where all of this ends between two files: the records come again, and nothing is taken back twice.
struct SQLiteMidnight {
    struct Trace: Hashable {
        let tenantID: Int32
        let id: TraceID
    }

    private let day: Day
    /// With calls on this day that have a price.
    private var calls: Set<Trace> = []
    /// With such calls on the day after, among the same rows.
    private var nextCalls: Set<Trace> = []
    /// With aggregates of this day that last past its end.
    private var aggregates: Set<Trace> = []

    init(_ rows: borrowing HotRows, on day: Day) {
        self.day = day
        for index in rows.costs.indices {
            let cost = rows.costs[index]
            let span = rows.spans[cost.usage.span]
            let trace = Trace(tenantID: span.tenantID, id: span.trace)
            switch cost.reason {
            case .aggregate:
                if span.day == day, span.lastsPastMidnight { aggregates.insert(trace) }
            case .call:
                guard cost.usage.totalCost != nil, span.parentSpanID != nil else { continue }
                if span.day == day { calls.insert(trace) } else if span.day == day + 1 { nextCalls.insert(trace) }
            }
        }
    }

    /// - Parameter calls: of this day, which have a price from now on.
    init(_ calls: Set<Trace>, on day: Day) {
        (self.calls, self.day) = (calls, day)
    }

    /// Takes back what the day before has above calls of this day.
    /// - Parameter file: of the day before; nil where there is none.
    func settle(dayBefore file: () throws(SQLiteFailure) -> SQLiteFile?, at now: Timestamp) throws(SQLiteFailure) {
        guard !calls.isEmpty, let file = try file() else { return }
        let above = try file.read { db in try Self.open(calls, until: day, db) }
        guard !above.isEmpty else { return }
        try file.write(at: now) { db in try Self.takeBack(above, until: day, db) }
    }

    /// The traces whose aggregates of this day are explained by calls of the day after.
    /// - Parameter file: of the day after; nil where there is none.
    func explained(by file: () throws(SQLiteFailure) -> SQLiteFile?) throws(SQLiteFailure) -> Set<Trace> {
        let unexplained = aggregates.subtracting(nextCalls)
        guard !unexplained.isEmpty, let file = try file() else { return aggregates.intersection(nextCalls) }
        let found = try file.read { db in
            try Self.traces(
                db,
                """
                \(Self.wanted(unexplained)) SELECT DISTINCT hex(l.trace_id), l.tenant_id
                FROM cost_ledger l JOIN wanted w ON w.trace_id = l.trace_id AND w.tenant_id = l.tenant_id
                WHERE l.calls = 1 AND l.total_cost_pico IS NOT NULL AND l.parent_span_id IS NOT NULL
                """)
        }
        return aggregates.intersection(nextCalls).union(found)
    }

    /// - Parameter db: of this day, within the transaction that has written it.
    func takeBack(_ traces: Set<Trace>, _ db: Database) throws {
        try Self.takeBack(traces, until: day + 1, db)
    }

    // MARK: Statements

    /// GRDB binds bytes only as Foundation's Data. These are digits.
    private static func wanted(_ traces: Set<Trace>) -> String {
        let values = traces.map { "(x'\($0.id.text)', \($0.tenantID))" }.joined(separator: ", ")
        return "WITH wanted (trace_id, tenant_id) AS (VALUES \(values))"
    }

    /// Aggregates `l` that last until the end of their day, and have not been taken back.
    private static func standing(until day: Day) -> String {
        """
        FROM cost_ledger l JOIN wanted w ON w.trace_id = l.trace_id AND w.tenant_id = l.tenant_id
        JOIN spans s ON s.trace_id = l.trace_id AND s.span_id = l.span_id AND s.start_time = l.start_time
            AND s.tenant_id = l.tenant_id
        WHERE l.calls = 0 AND s.start_time + s.duration_ns / 1000 >= \(day.start.microseconds)
            AND \(CostCorrections.sqlite.standing)
        """
    }

    private static func open(_ traces: Set<Trace>, until day: Day, _ db: Database) throws -> Set<Trace> {
        // Most days have no aggregate of which no call is known.
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM cost_ledger WHERE calls = 0)") ?? false else {
            return []
        }
        return try Self.traces(
            db, "\(wanted(traces)) SELECT DISTINCT hex(l.trace_id), l.tenant_id \(standing(until: day))")
    }

    private static func takeBack(_ traces: Set<Trace>, until day: Day, _ db: Database) throws {
        guard !traces.isEmpty else { return }
        let reversal = CostCorrections.reversal("'leaf'", .sqlite)
        try db.execute(sql: "\(wanted(traces)) \(reversal) \(standing(until: day)) ON CONFLICT DO NOTHING")
    }

    private static func traces(_ db: Database, _ sql: String) throws -> Set<Trace> {
        Set(
            try Row.fetchAll(db, sql: sql).compactMap { row in
                TraceID(row[0] as String).map { Trace(tenantID: row[1], id: $0) }
            })
    }
}

extension SpanRow {
    fileprivate var lastsPastMidnight: Bool {
        let (last, overflow) = clampedStart.addingReportingOverflow((duration ?? 0) / 1_000)
        return overflow || last >= (day + 1).start.microseconds
    }
}
