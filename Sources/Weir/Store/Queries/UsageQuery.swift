/// What calls of models used and cost, the dearest first; with a step, the earliest first.
struct UsageQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)
    static let minimumStep = Duration.seconds(1)

    enum Dimension: String, CaseIterable, Sendable {
        case tenant, user, model, agent
    }

    var tenant: Tenant
    var window: TimeWindow
    var limit = limits.default
    /// What a row sums over; for `tenant` everything.
    let dimension: Dimension
    /// A row for each of these; nil is one for the window. Counted from 1970 on.
    var step: Duration?

    init(_ tenant: Tenant, by dimension: Dimension, in window: TimeWindow) {
        self.tenant = tenant
        self.window = window
        self.dimension = dimension
    }

    func check() throws(QueryError) {
        if let step { try TimeStep.check(step, wholes: Self.minimumStep) }
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        """
        SELECT \(TimeStep.start(of: step, "start_time", dialect)) AS start, \(group) AS who, count(*),
            count(*) FILTER (WHERE status = 2), \(dialect.sum("input_tokens")), \(dialect.sum("output_tokens")),
            \(dialect.sum("cache_read_tokens")), \(dialect.sum("cache_write_tokens")),
            \(dialect.sum("reasoning_tokens")), count(\(dialect.costColumn)), \(dialect.cost)
        FROM llm_usage
        WHERE tenant_id = \(tenantID)\(window.condition(on: "start_time"))
        GROUP BY 1, 2
        LIMIT \(.integer(Int64(count)))
        """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> UsageSummary {
        let start = try columns.time()
        return UsageSummary(
            key: UsageSummary.Key(
                dimension: dimension, start: step == nil ? nil : start, who: try columns.optionalText()),
            calls: try columns.integer(), errors: try columns.integer(), inputTokens: try columns.integer(),
            outputTokens: try columns.integer(), cacheReadTokens: try columns.integer(),
            cacheWriteTokens: try columns.integer(), reasoningTokens: try columns.integer(),
            pricedCalls: try columns.integer(),
            picoDollars: try columns.pico())
    }

    private var group: SQLText {
        switch dimension {
        case .tenant: "\(.text(tenant.name))"
        case .user: "user_id"
        case .model: "model"
        case .agent: "agent"
        }
    }
}
