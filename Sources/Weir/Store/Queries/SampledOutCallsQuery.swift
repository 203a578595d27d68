/// The calls of models of one trace whose spans sampling left out, the earliest first.
struct SampledOutCallsQuery: StoreQuery {
    static let limits = QueryLimits(default: 1_000, maximum: 100_000)
    static let tables = 2

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    let id: TraceID

    init(_ tenant: Tenant, id: TraceID, in window: TimeWindow = .always) {
        tenants = .one(tenant)
        self.window = window
        self.id = id
    }

    func wanted(after rows: [SampledOutCall]) -> Int { limit + 1 }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        """
        SELECT \(dialect.microseconds("u.start_time")), u.service, u.model, u.sampled_out_by
        FROM llm_usage u
        WHERE u.trace_id = \(.traceID(id))\(tenants.condition(on: "u.tenant_id"))\(window.condition(on: "u.start_time"))
            AND u.sampled_out_by IS NOT NULL
        ORDER BY u.start_time, u.span_id
        LIMIT \(.integer(Int64(count)))
        """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> SampledOutCall {
        SampledOutCall(
            startTime: try columns.time(), service: try columns.text(), model: try columns.optionalText(),
            rule: try columns.text())
    }

    /// Days come newest first.
    func merge(_ found: [SampledOutCall], into rows: inout [SampledOutCall]) {
        rows = found + rows.prefix(limit + 1)
    }

    func page(of rows: [SampledOutCall]) -> Page<SampledOutCall> { Page(rows, limit: limit) }
}

/// A call of a model whose span is not stored.
struct SampledOutCall: Equatable, Sendable {
    let startTime: Timestamp
    let service: String
    let model: String?
    /// Empty where the rule has no name.
    let rule: String
}
