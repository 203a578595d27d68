/// What the ledger takes back: the call that is there twice, and the aggregate that a call below it explains. In either
/// database the same statements, which add what is missing of it, so that it does not matter what came first.
///
/// The entries of a span count from 0 on. An even one says what it costs, an odd one takes back the one before. What
/// the last one says stands.
struct CostCorrections {
    private let dialect: SQLDialect
    /// In which partitions to look; of SQLite a day is a file.
    private let days: TouchedDays?
    /// Whether the touched traces have no more than ``maximumEntries``; it is quicker not to let them take turns.
    private let areFew: Bool

    static let sqlite = Self.sqlite(entries: .max)

    /// - Parameter entries: how many the touched traces have at most.
    static func sqlite(entries: Int) -> Self {
        CostCorrections(dialect: .sqlite, days: nil, areFew: entries <= maximumEntries)
    }

    /// - Parameter entries: how many the touched traces have at most.
    static func postgres(_ days: TouchedDays, entries: Int = .max) -> Self {
        CostCorrections(dialect: .postgres, days: days, areFew: entries <= maximumEntries)
    }

    /// Takes back all but one of the calls of one response, of a tenant and a day: a gateway and the SDK behind it, or
    /// two instrumentations of one library, see the same call. The one that has a price stays, before one of which the
    /// sender says it; then the one that tells more parts of what was used; then the earliest. An id that very many
    /// calls have names no response.
    ///
    /// Wants `touched_responses` with the columns `tenant_id` and `response_id`.
    var duplicates: String {
        """
        , responses AS (
            SELECT t.tenant_id, t.response_id FROM touched_responses t WHERE (SELECT count(*) FROM (
                SELECT 1 FROM cost_ledger l WHERE \(dialect.isOfResponse)\(within("l.start_time"))
                    LIMIT \(Self.maximumOfResponse)) e)
                BETWEEN 2 AND \(Self.maximumOfResponse - 1)
        ), calls AS (
            SELECT l.*, row_number() OVER (
                PARTITION BY l.tenant_id, l.response_id, \(dialect.day("l.start_time"))
                ORDER BY (l.\(dialect.costName) IS NULL), (l.cost_source <> 'table'),
                    length(coalesce(l.usage, '')) - length(replace(coalesce(l.usage, ''), '=', '')) DESC,
                    l.start_time, l.trace_id, l.span_id
            ) AS place
            FROM responses t \(joined("cost_ledger", "l", where: dialect.isOfResponse))
            WHERE l.calls = 1 AND \(standing)
        )
        \(Self.reversal("'duplicate'", dialect)) FROM calls l WHERE l.place > 1
        ON CONFLICT DO NOTHING
        """
    }

    /// Takes back aggregates above a call that has a price, or above another such aggregate. Where a call was sampled
    /// out nobody knows what is above it, and it stands for all of its trace. Of aggregates that name each other as
    /// parents, in a circle, one stays.
    ///
    /// Wants `touched_traces` with the column `trace_id`.
    var leaves: String {
        """
        , aggregates AS (
            SELECT l.*, \(place) FROM touched_traces t \(entriesOfTrace) WHERE l.calls = 0 AND \(standing)
            \(inTurn)
        ), priced AS (
            SELECT l.tenant_id, l.trace_id, CASE l.calls WHEN 0 THEN l.span_id END AS inner_id, l.parent_span_id,
                \(place)
            FROM (SELECT DISTINCT trace_id FROM aggregates) t \(entriesOfTrace)
            WHERE l.\(dialect.costName) IS NOT NULL AND l.parent_span_id IS NOT NULL
            \(inTurn)
        ), above (tenant_id, trace_id, inner_id, span_id) AS (
            SELECT tenant_id, trace_id, inner_id, parent_span_id FROM priced
            UNION
            SELECT s.tenant_id, s.trace_id, a.inner_id, s.parent_span_id FROM above a \(spanAbove())
            \(limitOfPairs)
        ), nearest AS (
            SELECT * FROM above LIMIT \(Self.maximumPairs)
        ), circles AS (
            SELECT tenant_id, trace_id, span_id FROM nearest WHERE inner_id = span_id
        ), explained AS (
            SELECT a.tenant_id, a.trace_id, a.span_id FROM nearest a
            WHERE a.inner_id IS NULL OR NOT EXISTS (SELECT 1 FROM circles o WHERE \(isInner("o")))
                OR (a.inner_id < a.span_id AND EXISTS (SELECT 1 FROM aggregates o WHERE \(isInner("o"))))
        ), sampled AS MATERIALIZED (
            SELECT DISTINCT l.tenant_id, l.trace_id FROM (SELECT DISTINCT trace_id FROM aggregates) t \(entriesOfTrace)
            WHERE l.sampled_out AND l.\(dialect.costName) IS NOT NULL
        )
        \(Self.reversal("'leaf'", dialect)) FROM aggregates l
        WHERE EXISTS (SELECT 1 FROM explained a
                WHERE a.trace_id = l.trace_id AND a.span_id = l.span_id AND a.tenant_id = l.tenant_id)
            OR EXISTS (SELECT 1 FROM sampled o WHERE o.trace_id = l.trace_id AND o.tenant_id = l.tenant_id)
        ON CONFLICT DO NOTHING
        """
    }

    /// Takes back calls that have a call of the same kind, with a price, below them, with nothing of an agent or a
    /// tool between the two: the SDK's view of a call that a framework sees as well, and a server's of one that its
    /// client has sent. The innermost stays; of those that name each other as parents, in a circle, one. One that was
    /// taken back as a duplicate is still paid for, elsewhere, unless it is one of those around it that stands for it.
    ///
    /// Wants `touched_traces` with the column `trace_id`.
    var nested: String {
        """
        , inner_calls AS (
            SELECT l.tenant_id, l.trace_id, l.span_id, l.parent_span_id, l.operation,
                (SELECT l.response_id \(reversals)) AS paid_as, \(place)
            FROM touched_traces t \(entriesOfTrace)
            WHERE l.calls = 1 AND l.\(dialect.costName) IS NOT NULL AND l.parent_span_id IS NOT NULL
                AND l.entry % 2 = 0 AND NOT EXISTS (SELECT 1 \(reversals) AND r.reason <> 'duplicate')
            \(inTurn)
        ), around (tenant_id, trace_id, operation, paid_as, inner_id, span_id) AS (
            SELECT tenant_id, trace_id, operation, paid_as, span_id, parent_span_id FROM inner_calls
            UNION
            SELECT a.tenant_id, a.trace_id, a.operation, a.paid_as, a.inner_id, s.parent_span_id
            FROM around a \(spanAbove(where: "s.operation IN (\(OperationKind.other.rawValue), a.operation)"))
            \(limitOfPairs)
        ), nearest AS (
            SELECT * FROM around LIMIT \(Self.maximumPairs)
        ), circles AS (
            SELECT tenant_id, trace_id, span_id FROM nearest WHERE inner_id = span_id
        ), paid_around AS MATERIALIZED (
            SELECT a.tenant_id, a.trace_id, a.inner_id FROM nearest a \(entriesOfSpan("a"))
            WHERE a.paid_as IS NOT NULL AND +l.tenant_id = a.tenant_id AND l.response_id = a.paid_as
        )
        \(Self.reversal("'leaf'", dialect)) FROM nearest a \(entriesOfSpan("a"))
        WHERE +l.tenant_id = a.tenant_id AND l.operation = a.operation AND l.span_id <> a.inner_id
            AND l.calls = 1 AND \(standing)
            AND (a.inner_id < l.span_id OR l.\(dialect.costName) IS NULL
                OR NOT EXISTS (SELECT 1 FROM circles o WHERE \(isInner("o"))))
            AND NOT EXISTS (SELECT 1 FROM paid_around o WHERE o.trace_id = a.trace_id AND o.inner_id = a.inner_id
                AND o.tenant_id = a.tenant_id)
        ON CONFLICT DO NOTHING
        """
    }

    /// Gives calls that name no agent to the nearest one above them, which may have come before them or after.
    ///
    /// Wants `touched_traces` with the column `trace_id`.
    var agents: String {
        let above = """
            FROM \(rows(of: "spans", "s", where: "s.trace_id = c.trace_id AND s.span_id = c.above_id"))
                    WHERE +s.tenant_id = c.tenant_id
            """
        let inherited = ["entry": "l.entry + 2", "reason": "'agent'", "agent": "l.inherited"]
        return """
            , climbers AS (
                SELECT l.tenant_id, l.trace_id, l.span_id, l.start_time, l.parent_span_id, \(place)
                FROM touched_traces t \(entriesOfTrace)
                WHERE l.agent IS NULL AND l.parent_span_id IS NOT NULL AND \(standing)
                \(inTurn)
            ), climb (tenant_id, trace_id, span_id, start_time, above_id, agent, steps) AS (
                SELECT l.tenant_id, l.trace_id, l.span_id, l.start_time, l.parent_span_id, CAST(NULL AS text), 0
                FROM climbers l
                UNION ALL
                SELECT c.tenant_id, c.trace_id, c.span_id, c.start_time,
                    (SELECT s.parent_span_id \(above) ORDER BY s.parent_span_id LIMIT 1),
                    (SELECT \(dialect.agent) \(above) AND \(dialect.agent) <> '' ORDER BY 1 LIMIT 1),
                    c.steps + 1
                FROM climb c
                WHERE c.agent IS NULL AND c.above_id IS NOT NULL AND c.steps < \(Self.maximumSteps)
            ), found AS (
                SELECT l.*, c.agent AS inherited
                FROM climb c \(entriesOfSpan("c", where: "l.start_time = c.start_time"))
                WHERE +l.tenant_id = c.tenant_id AND c.agent IS NOT NULL AND \(standing)
            )
            \(Self.reversal("'agent'", dialect)) FROM found l
            UNION ALL \(Self.select(inherited, dialect)) FROM found l
            WHERE true
            ON CONFLICT DO NOTHING
            """
    }

    /// Entries from which on an id is none of a response: whoever writes it writes it onto every call.
    private static let maximumOfResponse = 1_000
    /// Spans between a call and its agent.
    private static let maximumSteps = 32
    /// Entries of the touched traces that are looked at for what is above them; aggregates, and calls that have no
    /// agent, likewise. More than an exporter's batch has.
    static let maximumEntries = 20_000
    /// Pairs of an entry and a span above it, the nearest first: of a chain of thousands of entries each is above all
    /// behind it. An entry has one pair of each distance, so there are twenty for each, whatever the others have.
    private static let maximumPairs = 400_000

    /// Which of the entries of its trace and tenant `l` is, from the newest on.
    private var place: String {
        areFew
            ? "1 AS place"
            : "row_number() OVER (PARTITION BY l.tenant_id, l.trace_id ORDER BY l.start_time DESC) AS place"
    }

    /// Takes one of each trace of each tenant, then the next of each: one of very many takes the places of none.
    private var inTurn: String { areFew ? "" : "ORDER BY place LIMIT \(Self.maximumEntries)" }

    /// SQLite would make all pairs before it takes the nearest; PostgreSQL takes no limit there, and makes no more than
    /// are taken.
    private var limitOfPairs: String {
        switch dialect {
        case .postgres: ""
        case .sqlite: "LIMIT \(Self.maximumPairs)"
        }
    }

    /// `l` says what a span costs, and nothing has taken it back.
    var standing: String { "l.entry % 2 = 0 AND NOT EXISTS (SELECT 1 \(reversals))" }

    /// What takes `l` back.
    private var reversals: String {
        """
        FROM \(rows(of: "cost_ledger", "r", where: isOfTheSame))
            WHERE r.tenant_id = l.tenant_id AND r.entry = l.entry + 1
        """
    }

    /// With the time, since there may be very many spans of one id.
    private var isOfTheSame: String {
        "r.trace_id = l.trace_id AND r.span_id = l.span_id AND r.start_time = l.start_time"
    }

    /// Joins the entries `l` of the trace `t`.
    private var entriesOfTrace: String { joined("cost_ledger", "l", where: "l.trace_id = t.trace_id") }

    private func entriesOfSpan(_ row: String, where further: String? = nil) -> String {
        let condition = "l.trace_id = \(row).trace_id AND l.span_id = \(row).span_id"
        return joined("cost_ledger", "l", where: further.map { "\(condition) AND \($0)" } ?? condition)
    }

    /// Joins the span `s` of the id of `a` that has a parent: one, however many spans have the id. Postgres makes its
    /// plan by conditions that stand behind it, so the tenant is there twice.
    private func spanAbove(where further: String = "true") -> String {
        let isOf = "s.trace_id = a.trace_id AND s.span_id = a.span_id"
        let isParents = "+s.tenant_id = a.tenant_id AND s.parent_span_id IS NOT NULL"
        return switch dialect {
        case .postgres:
            """
            CROSS JOIN LATERAL (SELECT s.* FROM \(rows(of: "spans", "s", where: isOf))
                        WHERE \(isParents) AND \(further) LIMIT 1) s WHERE \(isParents)
            """
        case .sqlite:
            """
            CROSS JOIN spans s ON s.rowid = (
                        SELECT s.rowid FROM spans s WHERE \(isOf) AND \(isParents) AND \(further) LIMIT 1)
            """
        }
    }

    /// Whether the row is of the span that `a` is above of. What is above a span of a circle is of the circle too.
    private func isInner(_ row: String) -> String {
        "\(row).trace_id = a.trace_id AND \(row).span_id = a.inner_id AND \(row).tenant_id = a.tenant_id"
    }

    /// One look-up for each row before it.
    private func joined(_ table: String, _ name: String, where condition: String) -> String {
        switch dialect {
        case .postgres: "CROSS JOIN LATERAL \(rows(of: table, name, where: condition))"
        case .sqlite: "CROSS JOIN \(table) \(name) ON \(condition)"
        }
    }

    /// What has a key. Of a day that has just begun Postgres has no statistics: it takes the day and the tenant for as
    /// good a key as any, and would read all of the day for each row. So it is told of nothing but the key here. SQLite
    /// would take the tenant too; where a `+` stands in front of a column, it takes no index of that.
    private func rows(of table: String, _ name: String, where condition: String) -> String {
        let fence = dialect == .postgres ? " OFFSET 0" : ""
        return "(SELECT * FROM \(table) \(name) WHERE \(condition)\(within("\(name).start_time"))\(fence)) \(name)"
    }

    private func within(_ column: String) -> String {
        days.map { " AND \($0.condition(on: column))" } ?? ""
    }

    /// An entry that takes `l` back. What follows says where `l` is from.
    /// - Parameter reason: in SQL.
    static func reversal(_ reason: String, _ dialect: SQLDialect) -> String {
        var values = ["entry": "l.entry + 1", "reason": reason, "calls": "-l.calls", "unpriced": "-l.unpriced"]
        values["total_cost"] = "-l.\(dialect.costName)"
        for column in CostRow.columns where column.hasSuffix("_tokens") { values[column] = "-l.\(column)" }
        return "\(insert(dialect)) \(select(values, dialect))"
    }

    /// An entry for what `l` costs by another price, all of it in SQL. It wants the one that takes `l` back.
    static func repriced(cost: String, price: String, source: String, _ dialect: SQLDialect) -> String {
        let values = [
            "entry": "l.entry + 2", "reason": "'reprice'",
            "status": "CASE l.calls WHEN 0 THEN l.status ELSE 'priced' END",
            "unpriced": "0", "total_cost": cost, "cost_source": source, "price": price,
        ]
        return "\(insert(dialect)) \(select(values, dialect))"
    }

    private static func insert(_ dialect: SQLDialect) -> String {
        let names = CostRow.columns.map { $0 == "total_cost" ? dialect.costName : $0 }
        return "INSERT INTO cost_ledger (\(names.joined(separator: ", ")))"
    }

    /// `l` with some other values.
    private static func select(_ values: [String: String], _ dialect: SQLDialect) -> String {
        let columns = CostRow.columns.map { values[$0] ?? "l.\($0 == "total_cost" ? dialect.costName : $0)" }
        return "SELECT \(columns.joined(separator: ", "))"
    }
}

extension SQLDialect {
    /// The column of a cost.
    var costName: String {
        switch self {
        case .postgres: "total_cost"
        case .sqlite: "total_cost_pico"
        }
    }

    /// Whether the entry `l` is one of the response `t`. In Postgres no index but the one of responses knows a tenant
    /// so, and none seems to be as good.
    fileprivate var isOfResponse: String {
        switch self {
        case .postgres: "l.response_id = t.response_id AND l.tenant_id::bigint = t.tenant_id"
        case .sqlite: "l.response_id = t.response_id AND l.tenant_id = t.tenant_id"
        }
    }

    /// The day of a time, in UTC.
    fileprivate func day(_ column: String) -> String {
        switch self {
        case .postgres: "date_trunc('day', \(column), 'UTC')"
        case .sqlite: "\(column) / 86400000000"
        }
    }

    /// What the span `s` says of its agent, as an index takes it.
    fileprivate var agent: String {
        let keys = GenAIAttribute.agent.keys
        return switch self {
        case .postgres: "left(coalesce(\(keys.map { "s.attributes ->> '\($0)'" }.joined(separator: ", "))), 256)"
        case .sqlite:
            "substr(coalesce(\(keys.map { "s.attributes ->> '$.\"\($0)\"'" }.joined(separator: ", "))), 1, 256)"
        }
    }
}
