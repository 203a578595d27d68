/// What a span costs by another price, in place of what the ledger has.
struct CostReprice: Sendable {
    let standing: StandingCost
    /// In 10⁻¹² USD.
    let pico: Int64
    /// The row of the list.
    let price: String

    /// What was estimated stays an estimate.
    var source: CostSource { standing.source == CostSource.estimate.rawValue ? .estimate : .table }

    /// Two statements for each: one takes back, the other says what it costs. The key of the entries sees to it that
    /// only one of several does so; where another was faster, nothing is changed.
    /// - Parameters: the places of values in SQL.
    static func statements(
        tenant: String, trace: String, span: String, start: String, entry: String, cost: String, price: String,
        source: String, _ dialect: SQLDialect
    ) -> (takesBack: String, adds: String) {
        let place = """
            FROM cost_ledger l WHERE l.trace_id = \(trace) AND l.span_id = \(span) AND l.start_time = \(start)
                AND l.entry = \(entry) AND l.tenant_id = (SELECT id FROM tenants WHERE name = \(tenant))
            """
        return (
            CostCorrections.reversal("'reprice'", dialect) + " \(place) ON CONFLICT DO NOTHING",
            CostCorrections.repriced(cost: cost, price: price, source: source, dialect) + " \(place)"
        )
    }
}

/// Writes other prices into the ledger.
protocol CostRewriter: Sendable {
    /// - Returns: how many were written; the others were changed by somebody else meanwhile.
    func write(_ repriced: [CostReprice]) async throws -> Int
}
