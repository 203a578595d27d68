/// The services that sent spans, by name.
struct ServicesQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default

    init(_ tenant: Tenant, in window: TimeWindow) {
        tenants = .one(tenant)
        self.window = window
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        """
        SELECT service, \(dialect.sum("spans")), \(dialect.sum("errors")), \(dialect.microseconds("max(minute)"))
        FROM span_rollups
        WHERE true\(tenants.condition(on: "tenant_id"))\(window.wholeMinutes.condition(on: "minute"))
        GROUP BY service
        LIMIT \(.integer(Int64(count)))
        """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> ServiceSummary {
        ServiceSummary(
            service: try columns.text(), spans: try columns.integer(), errors: try columns.integer(),
            lastSeen: try columns.time())
    }
}

/// What a service sent in a window.
struct ServiceSummary: AggregateRow, Equatable {
    let service: String
    var spans: Int64
    var errors: Int64
    /// The minute in which its newest span starts.
    var lastSeen: Timestamp

    var key: String { service }

    mutating func add(_ other: ServiceSummary) {
        spans += other.spans
        errors += other.errors
        lastSeen = max(lastSeen, other.lastSeen)
    }

    func precedes(_ other: ServiceSummary) -> Bool { service < other.service }
}
