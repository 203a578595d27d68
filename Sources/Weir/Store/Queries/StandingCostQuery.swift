/// What spans cost as the ledger has it now, of a day, by trace and span: what other prices could change.
struct StandingCostQuery: StoreQuery {
    static let limits = QueryLimits(default: 10_000, maximum: 10_000)
    static let tables = SQLiteMigration.thirdDay.version

    let tenants: TenantScope
    /// Within one day.
    var window: TimeWindow
    var limit = limits.default
    /// The last of the page before.
    var after: StandingCost.Key?

    init(_ tenants: TenantScope, in window: TimeWindow) {
        self.tenants = tenants
        self.window = window
    }

    func wanted(after rows: [StandingCost]) -> Int { limit + 1 - rows.count }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        var conditions = tenants.condition(on: "l.tenant_id")
        conditions += window.condition(on: "l.start_time")
        if let after {
            conditions += " AND (l.trace_id, l.span_id, l.start_time, t.name) > (\(.traceID(after.trace)),"
            conditions += " \(.integer(after.span)), \(.time(after.start)), \(.text(after.tenant)))"
        }
        return """
            SELECT \(dialect.hex("l.trace_id")), l.span_id, \(dialect.microseconds("l.start_time")), l.entry,
                t.name, l.provider, l.request_model, l.model, l.service_tier, l.usage, \(dialect.picoDollars("l")),
                l.price, l.cost_source
            FROM cost_ledger l JOIN tenants t ON t.id = l.tenant_id
            WHERE l.usage IS NOT NULL AND l.entry % 2 = 0\(conditions)
                AND NOT EXISTS (SELECT 1 FROM cost_ledger r WHERE r.trace_id = l.trace_id AND r.span_id = l.span_id
                    AND r.start_time = l.start_time AND r.tenant_id = l.tenant_id AND r.entry = l.entry + 1)
            ORDER BY l.trace_id, l.span_id, l.start_time, t.name
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> StandingCost {
        let trace = try columns.text()
        guard let id = TraceID(trace) else { throw .unreadable("trace \(trace.quotedForMessage)") }
        let (span, start, entry) = (try columns.integer(), try columns.time(), try columns.integer())
        return StandingCost(
            key: StandingCost.Key(trace: id, span: span, start: start, tenant: try columns.text()),
            entry: entry, provider: try columns.optionalText(),
            requestModel: try columns.optionalText(), model: try columns.optionalText(),
            serviceTier: try columns.optionalText(), usage: try columns.text(), pico: try columns.optionalInteger(),
            price: try columns.optionalText(), source: try columns.optionalText())
    }

    func merge(_ found: [StandingCost], into rows: inout [StandingCost]) { rows += found }

    func page(of rows: [StandingCost]) -> Page<StandingCost> { Page(rows, limit: limit) }
}

/// What a span costs as the ledger has it now.
struct StandingCost: Sendable {
    struct Key: Sendable, Equatable {
        let trace: TraceID
        let span: Int64
        let start: Timestamp
        let tenant: String
    }

    let key: Key
    let entry: Int64
    let provider: String?
    let requestModel: String?
    let model: String?
    let serviceTier: String?
    /// ``Usage/text``
    let usage: String
    /// In 10⁻¹² USD; nil is unknown.
    let pico: Int64?
    let price: String?
    let source: String?
}
