/// What was spent in a time, by tenant and whoever a budget is for: those who spent most.
struct SpendQuery: StoreQuery {
    static let limits = QueryLimits(default: 10_000, maximum: 10_000)
    static let tables = SQLiteMigration.thirdDay.version

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    let scope: BudgetScope

    init(_ tenants: TenantScope, _ scope: BudgetScope, in window: TimeWindow) {
        self.tenants = tenants
        self.scope = scope
        self.window = window
    }

    func wanted(after rows: [Spend]) -> Int { AggregateLimits.maximumRows }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        let (table, time, id, sum): (SQLText, SQLText, SQLText, SQLText) =
            switch scope {
            case .tenant: ("cost_rollups", "hour", "''", dialect.rollupCost)
            case .user: ("cost_rollups", "hour", "user_id", dialect.rollupCost)
            case .agent: ("cost_rollups", "hour", "agent", dialect.rollupCost)
            case .model: ("cost_rollups", "hour", "model", dialect.rollupCost)
            case .run: ("cost_ledger", "start_time", dialect.hex("trace_id"), dialect.cost)
            }
        var conditions = tenants.condition(on: "tenant_id")
        conditions += window.condition(on: time)
        if scope != .tenant { conditions += " AND \(id) <> ''" }
        return """
            SELECT t.name, \(id), \(sum) FROM \(table) JOIN tenants t ON t.id = tenant_id
            WHERE true\(conditions)
            GROUP BY 1, 2
            ORDER BY 3 DESC, 4 DESC
            LIMIT \(.integer(Int64(count)))
            """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> Spend {
        Spend(owner: Spend.Owner(tenant: try columns.text(), id: try columns.text()), pico: try columns.pico())
    }

    /// Of however many: who spent little is left out, and nothing is refused.
    func merge(_ found: [Spend], into rows: inout [Spend]) { rows.add(found) }

    func page(of rows: [Spend]) -> Page<Spend> { Page(rows.sorted { $0.precedes($1) }, limit: limit) }
}

/// What somebody spent.
struct Spend: AggregateRow, Equatable {
    struct Owner: Hashable, Sendable {
        let tenant: String
        /// Empty for the tenant itself.
        let id: String
    }

    let owner: Owner
    /// In 10⁻¹² USD.
    private(set) var pico: Int128

    init(owner: Owner, pico: Int128) {
        (self.owner, self.pico) = (owner, pico)
    }

    var key: Owner { owner }

    mutating func add(_ other: Spend) { pico += other.pico }

    func precedes(_ other: Spend) -> Bool { pico > other.pico }
}
