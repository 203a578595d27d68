/// How often operations fail and how long they take, the busiest first; with a step, the earliest first.
///
/// Minutes are counted as wholes: a window that begins or ends inside one begins or ends with it.
struct LatencyQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)
    static let minimumStep = Duration.seconds(60)

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    var service: String?
    var name: String?
    /// A row for each of these; nil is one for the window. Whole minutes, counted from 1970 on.
    var step: Duration?

    init(_ tenant: Tenant, in window: TimeWindow) {
        tenants = .one(tenant)
        self.window = window
    }

    func check() throws(QueryError) {
        try step.map { step throws(QueryError) in try TimeStep.check(step, wholes: Self.minimumStep) }
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        var conditions = window.wholeMinutes.condition(on: "minute")
        if let service { conditions += " AND service = \(.text(service))" }
        if let name { conditions += " AND name = \(.text(name))" }
        return """
            WITH part AS (
                SELECT \(TimeStep.start(of: step, "minute", dialect)) AS start, service, name, spans, errors,
                    duration_ns, durations
                FROM span_rollups
                WHERE true\(tenants.condition(on: "tenant_id"))\(conditions)
            ), sums AS (
                SELECT start, service, name, \(dialect.sum("spans")) AS spans, \(dialect.sum("errors")) AS errors,
                    \(dialect.sum("duration_ns")) AS duration_ns
                FROM part GROUP BY start, service, name
            ), buckets AS (
                SELECT p.start, p.service, p.name, b.key AS bucket, sum(CAST(b.value AS bigint)) AS spans
                FROM part p, \(dialect.members("p.durations")) b GROUP BY p.start, p.service, p.name, b.key
            ), histograms AS (
                SELECT start, service, name, \(dialect.object("bucket", "spans")) AS durations
                FROM buckets GROUP BY start, service, name
            )
            SELECT s.start, s.service, s.name, s.spans, s.errors, s.duration_ns, h.durations
            FROM sums s LEFT JOIN histograms h ON h.start = s.start AND h.service = s.service AND h.name = s.name
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> OperationLatency {
        let start = try columns.time()
        var row = OperationLatency(
            key: OperationLatency.Key(
                start: step == nil ? nil : start, service: try columns.text(), name: try columns.text()),
            spans: try columns.integer(), errors: try columns.integer(), duration: try columns.integer())
        if let text = try columns.optionalText() {
            guard let histogram = DurationHistogram(json: text) else {
                throw .unreadable("\(text.quotedForMessage), wanted a histogram")
            }
            row.durations = histogram
        }
        return row
    }
}
