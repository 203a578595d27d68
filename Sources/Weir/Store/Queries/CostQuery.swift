/// What calls of models cost, by the ledger, the dearest first; with a step, the earliest first. Everything that it
/// says is a sum over entries, so that two questions never differ.
struct CostQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)
    static let tables = SQLiteMigration.thirdDay.version
    static let minimumStep = Duration.seconds(1)

    /// What a row sums over.
    enum Dimension: String, CaseIterable, Sendable {
        case tenant, user, model, provider, agent, workflow, service, session, day, status, source, trace, span
    }

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    let dimension: Dimension
    /// A row for each of these; nil is one for the window. Counted from 1970 on.
    var step: Duration?
    /// Of this trace only.
    var trace: TraceID?

    init(_ tenants: TenantScope, by dimension: Dimension, in window: TimeWindow) {
        self.tenants = tenants
        self.window = window
        self.dimension = dimension
    }

    func check() throws(QueryError) {
        if let step { try TimeStep.check(step, wholes: Self.minimumStep) }
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        var conditions = tenants.condition(on: "tenant_id")
        conditions += window.condition(on: "start_time")
        if let trace { conditions += " AND trace_id = \(.traceID(trace))" }
        return """
            SELECT \(TimeStep.start(of: step, "start_time", dialect)) AS start, \(group(dialect)) AS who,
                \(dialect.sum("calls")), \(dialect.sum("unpriced")), \(dialect.sum("input_tokens")),
                \(dialect.sum("output_tokens")), \(dialect.sum("cache_read_tokens")),
                \(dialect.sum("cache_write_tokens")), \(dialect.sum("reasoning_tokens")),
                count(\(dialect.costColumn)), \(dialect.cost),
                \(dialect.cost(" FILTER (WHERE cost_source = 'table')")),
                \(dialect.cost(" FILTER (WHERE cost_source = 'provider')")),
                \(dialect.cost(" FILTER (WHERE cost_source = 'estimate')"))
            FROM cost_ledger
            WHERE true\(conditions)
            GROUP BY 1, 2
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> CostSummary {
        let start = try columns.time()
        return CostSummary(
            key: CostSummary.Key(
                dimension: dimension, start: step == nil ? nil : start, who: try columns.optionalText()),
            calls: try columns.integer(), unpriced: try columns.integer(), inputTokens: try columns.integer(),
            outputTokens: try columns.integer(), cacheReadTokens: try columns.integer(),
            cacheWriteTokens: try columns.integer(), reasoningTokens: try columns.integer(),
            priced: try columns.integer(), picoDollars: try columns.pico(),
            byTable: try columns.pico(), byProvider: try columns.pico(), byEstimate: try columns.pico())
    }

    /// Without those of which everything was taken back.
    func page(of rows: [CostSummary]) -> Page<CostSummary> {
        Page(
            rows.filter { $0.calls != 0 || $0.unpriced != 0 || $0.picoDollars != 0 }.sorted { $0.precedes($1) },
            limit: limit)
    }

    private func group(_ dialect: SQLDialect) -> SQLText {
        switch dimension {
        case .tenant: "(SELECT t.name FROM tenants t WHERE t.id = tenant_id)"
        case .user: "user_id"
        case .model: "model"
        case .provider: "provider"
        case .agent: "agent"
        case .workflow: "workflow"
        case .service: "service"
        case .session: "session_id"
        case .day: dialect.date("start_time")
        case .status: "status"
        case .source: "cost_source"
        case .trace: dialect.hex("trace_id")
        case .span: dialect.hex(spanID: "span_id")
        }
    }
}

extension ColumnReader {
    /// A sum of costs in the two columns that ``SQLDialect/cost`` gives, in 10⁻¹² USD.
    mutating func pico() throws(QueryError) -> Int128 {
        Int128(try integer()) * 1_000_000 + Int128(try integer())
    }
}
