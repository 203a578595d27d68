/// The models whose calls have no price, those with the most calls first.
struct UnpricedQuery: AggregateQuery {
    static let limits = QueryLimits(default: 100, maximum: 10_000)
    static let tables = SQLiteMigration.thirdDay.version

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default

    init(_ tenants: TenantScope, in window: TimeWindow) {
        self.tenants = tenants
        self.window = window
    }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        var conditions = tenants.condition(on: "tenant_id")
        conditions += window.condition(on: "start_time")
        return """
            SELECT provider, model, status, \(dialect.sum("unpriced")), \(dialect.microseconds("min(start_time)")),
                \(dialect.microseconds("max(start_time)"))
            FROM cost_ledger
            WHERE unpriced <> 0\(conditions)
            GROUP BY 1, 2, 3
            HAVING sum(unpriced) > 0
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> UnpricedModel {
        UnpricedModel(
            key: UnpricedModel.Key(
                provider: try columns.optionalText(), model: try columns.optionalText(), status: try columns.text()),
            calls: try columns.integer(), firstSeen: try columns.time(), lastSeen: try columns.time())
    }
}

/// A model whose calls have no price.
struct UnpricedModel: AggregateRow, Equatable {
    struct Key: Hashable, Sendable {
        let provider: String?
        let model: String?
        /// `unpriced`, or `inconsistent` where the counts contradict each other.
        let status: String
    }

    let key: Key
    var calls: Int64
    var firstSeen: Timestamp
    var lastSeen: Timestamp

    mutating func add(_ other: UnpricedModel) {
        calls += other.calls
        firstSeen = min(firstSeen, other.firstSeen)
        lastSeen = max(lastSeen, other.lastSeen)
    }

    func precedes(_ other: UnpricedModel) -> Bool {
        (other.calls, key.model ?? "", key.provider ?? "", key.status)
            < (calls, other.key.model ?? "", other.key.provider ?? "", other.key.status)
    }
}

extension UnpricedModel: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("provider", key.provider)
        line.add("model", key.model)
        line.add("status", key.status)
        line.add("calls", calls)
        line.add("first_seen", firstSeen)
        line.add("last_seen", lastSeen)
    }
}
