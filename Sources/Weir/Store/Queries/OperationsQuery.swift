/// The operations of a tenant, the busiest first: spans of the same service, name, kind and operation.
struct OperationsQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    var service: String?

    init(_ tenant: Tenant, in window: TimeWindow) {
        tenants = .one(tenant)
        self.window = window
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        var conditions = window.wholeMinutes.condition(on: "minute")
        if let service { conditions += " AND service = \(.text(service))" }
        return """
            SELECT service, name, kind, operation, \(dialect.sum("spans")), \(dialect.sum("errors")),
                \(dialect.microseconds("max(minute)"))
            FROM span_rollups
            WHERE true\(tenants.condition(on: "tenant_id"))\(conditions)
            GROUP BY service, name, kind, operation
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> OperationSummary {
        OperationSummary(
            key: OperationSummary.Key(
                service: try columns.text(), name: try columns.text(), kind: try columns.integer(),
                operation: try columns.integer()),
            spans: try columns.integer(), errors: try columns.integer(), lastSeen: try columns.time())
    }
}

/// What an operation did in a window.
struct OperationSummary: AggregateRow, Equatable {
    struct Key: Hashable, Sendable {
        let service: String
        let name: String
        let kind: Int64
        let operation: Int64
    }

    let key: Key
    var spans: Int64
    var errors: Int64
    /// The minute in which its newest span starts.
    var lastSeen: Timestamp

    mutating func add(_ other: OperationSummary) {
        spans += other.spans
        errors += other.errors
        lastSeen = max(lastSeen, other.lastSeen)
    }

    func precedes(_ other: OperationSummary) -> Bool {
        (other.spans, key.service, key.name, key.kind, key.operation)
            < (spans, other.key.service, other.key.name, other.key.kind, other.key.operation)
    }
}
