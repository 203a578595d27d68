/// The spans of one trace, the earliest first.
struct TraceQuery: StoreQuery {
    static let limits = QueryLimits(default: 10_000, maximum: 100_000)

    let tenants: TenantScope
    /// Of the spans' starts. A narrow one saves looking into every day, and is not needed.
    var window: TimeWindow
    var limit = limits.default
    let id: TraceID

    init(_ tenant: Tenant, id: TraceID, in window: TimeWindow = .always) {
        tenants = .one(tenant)
        self.window = window
        self.id = id
    }

    /// Of every part the earliest, since a part may hold all of them.
    func wanted(after rows: [TraceSpan]) -> Int { limit + 1 }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        """
        SELECT \(FoundSpan.columns(dialect)), s.trace_state, s.flags, s.dropped_attributes, s.dropped_events,
            s.dropped_links, s.resource_id, s.scope_id, CAST(s.attributes AS text), CAST(s.events AS text),
            CAST(s.links AS text), CAST(r.attributes AS text), r.schema_url, c.name, c.version,
            CAST(c.attributes AS text), c.schema_url, u.span_id, u.model, u.input_tokens, u.output_tokens,
            \(dialect.picoDollars("u"))
        FROM \(earliest(count, in: window, dialect))
        LEFT JOIN resources r ON r.id = s.resource_id AND r.tenant_id = s.tenant_id
        LEFT JOIN scopes c ON c.id = s.scope_id AND c.tenant_id = s.tenant_id
        LEFT JOIN llm_usage u ON u.trace_id = \(.traceID(id)) AND u.span_id = s.span_id
            AND u.start_time = s.start_time AND u.tenant_id = s.tenant_id\(window.condition(on: "u.start_time"))
        """
    }

    /// The rows of `spans s`, chosen before anything long is read: texts of attributes are not sorted, nor is the text
    /// of a resource that many spans have. Postgres has the long ones elsewhere, SQLite in the row.
    private func earliest(_ count: Int, in window: TimeWindow, _ dialect: SQLDialect) -> SQLText {
        let chosen: SQLText = """
            FROM spans s
            WHERE s.trace_id = \(.traceID(id))\(tenants.condition(on: "s.tenant_id"))\(
                window.condition(on: "s.start_time"))
            ORDER BY s.start_time, \(dialect.row)
            LIMIT \(.integer(Int64(count)))
            """
        return switch dialect {
        case .postgres: "(SELECT s.*, s.ctid \(chosen)) s"
        case .sqlite: "(SELECT s.rowid AS place \(chosen)) found CROSS JOIN spans s ON s.rowid = found.place"
        }
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> TraceSpan {
        try TraceSpan(&columns)
    }

    /// Days come newest first, and the spans of a day in any order.
    func merge(_ found: [TraceSpan], into rows: inout [TraceSpan]) {
        let sorted = found.sorted {
            ($0.span.cursor.start, $0.span.cursor.row) < ($1.span.cursor.start, $1.span.cursor.row)
        }
        rows = sorted + rows.prefix(limit + 1)
    }

    func page(of rows: [TraceSpan]) -> Page<TraceSpan> { Page(rows, limit: limit) }
}
