/// Takes away who caused a cost, and leaves what it was: the sums of past months stay.
enum CostErasure {
    private static let key =
        "l.trace_id = e.trace_id AND l.span_id = e.span_id AND l.start_time = e.start_time"
        + " AND l.tenant_id = e.tenant_id"
    private static let group =
        "r.tenant_id = m.tenant_id AND r.hour = m.hour AND r.user_id = m.user_id"
        + " AND r.agent = m.agent AND r.model = m.model"

    /// Statements for the ledger and its rollups, within a transaction. What takes an entry back gets the same new ids
    /// as the entry, so that it still does.
    /// - Parameters:
    ///   - condition: which rows of the ledger, here `cost_ledger`, lead to whom nothing is to lead.
    ///   - ledger: the table, or its partition.
    ///   - rollups: likewise.
    static func statements(
        where condition: String, ledger: String, rollups: String, _ dialect: SQLDialect
    ) -> String {
        let (hour, newIDs, end, costs): (String, String, String, [(name: String, sum: String)]) =
            switch dialect {
            case .postgres:
                (
                    "date_trunc('hour', l.start_time, 'UTC')",
                    "gen_random_uuid() AS new_trace, (random() * 9e18)::bigint AS new_span", "",
                    [("total_cost", "sum(coalesce(l.total_cost, 0))")]
                )
            case .sqlite:
                (
                    "l.start_time / 3600000000 * 3600000000", "randomblob(16) AS new_trace, random() AS new_span",
                    "DROP TABLE erased_costs; DROP TABLE moved_costs;",
                    [
                        // Of numbers that senders choose `sum` may be too much for SQLite.
                        ("total_cost_micro", "CAST(total(l.total_cost_pico / 1000000) AS integer)"),
                        ("total_cost_pico", "CAST(total(l.total_cost_pico % 1000000) AS integer)"),
                    ]
                )
            }
        let numbers = ["calls", "unpriced"] + costs.map(\.name)
        let sums = costs.map { "\($0.sum) AS \($0.name)" }.joined(separator: ", ")
        let isOver = dialect == .postgres ? " ON COMMIT DROP" : ""
        return """
            CREATE TEMP TABLE erased_costs\(isOver) AS SELECT d.*, \(newIDs) FROM (
                SELECT DISTINCT trace_id, span_id, start_time, tenant_id FROM \(ledger) AS cost_ledger
                WHERE \(condition)) d;
            CREATE TEMP TABLE moved_costs\(isOver) AS SELECT l.tenant_id, \(hour) AS hour, l.user_id,
                coalesce(l.agent, '') AS agent, coalesce(l.model, '') AS model, sum(l.calls) AS calls,
                sum(l.unpriced) AS unpriced, \(sums)
                FROM \(ledger) l JOIN erased_costs e ON \(key) WHERE l.user_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
            INSERT INTO \(rollups) AS r (tenant_id, hour, user_id, agent, model, \(numbers.joined(separator: ", ")))
                SELECT tenant_id, hour, '', agent, model, \(numbers.map { "sum(\($0))" }.joined(separator: ", "))
                FROM moved_costs WHERE true GROUP BY tenant_id, hour, agent, model
                ON CONFLICT (tenant_id, hour, user_id, agent, model) DO UPDATE
                SET \(numbers.map { "\($0) = r.\($0) + excluded.\($0)" }.joined(separator: ", "));
            UPDATE \(rollups) AS r SET \(numbers.map { "\($0) = r.\($0) - m.\($0)" }.joined(separator: ", "))
                FROM moved_costs m WHERE \(group);
            DELETE FROM \(rollups) AS r WHERE \(numbers.map { "r.\($0) = 0" }.joined(separator: " AND "))
                AND EXISTS (SELECT 1 FROM moved_costs m WHERE \(group));
            UPDATE \(ledger) AS l SET trace_id = e.new_trace, span_id = e.new_span, parent_span_id = NULL,
                user_id = NULL, session_id = NULL, conversation_id = NULL, call_id = NULL, response_id = NULL
                FROM erased_costs e WHERE \(key);
            \(end)
            """
    }
}
