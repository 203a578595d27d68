/// Spans of a tenant, the newest first.
struct SpanSearch: StoreQuery {
    static let limits = QueryLimits(default: 100, maximum: 1_000)
    static let maximumAttributes = 16

    let tenants: TenantScope
    var window: TimeWindow
    var limit = limits.default
    /// The row that the page before ended with.
    var after: SpanCursor?
    var service: String?
    var name: String?
    /// A number of `spans.status`.
    var status: Int?
    /// Nanoseconds. A span without an end has no duration.
    var minimumDuration: Int64?
    var maximumDuration: Int64?
    /// The span has all of these, as text: `200`, `true`, `0.5`.
    var attributes: [Attribute] = []
    var sessionID: String?
    var conversationID: String?
    var userID: String?
    var callID: String?
    /// Only spans without a parent.
    var onlyRoots = false

    struct Attribute: Hashable, Sendable {
        let key: String
        let value: String
    }

    init(_ tenant: Tenant, in window: TimeWindow) {
        tenants = .one(tenant)
        self.window = window
    }

    func check() throws(QueryError) {
        guard attributes.count <= Self.maximumAttributes else {
            throw .invalid("found \(attributes.count) attributes, wanted at most \(Self.maximumAttributes)")
        }
        if let minimumDuration, let maximumDuration, minimumDuration > maximumDuration {
            let found = "\(Duration.nanoseconds(minimumDuration).text) to \(Duration.nanoseconds(maximumDuration).text)"
            throw .invalid("found durations from \(found), wanted the shorter one first")
        }
    }

    func parts(at now: Timestamp) -> [TimeWindow] { remaining.newestFirst(at: now) }

    func wanted(after rows: [FoundSpan]) -> Int { limit + 1 - rows.count }

    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText {
        """
        SELECT \(FoundSpan.columns(dialect))
        FROM \(source(dialect))
        WHERE true\(tenants.condition(on: "s.tenant_id"))\(dialect.started(in: window))\(conditions(dialect))
        ORDER BY \(dialect.newestFirst)
        LIMIT \(.integer(Int64(count)))
        """
    }

    func row(_ columns: inout ColumnReader) throws(QueryError) -> FoundSpan {
        try FoundSpan(&columns)
    }

    func merge(_ found: [FoundSpan], into rows: inout [FoundSpan]) { rows += found }

    func page(of rows: [FoundSpan]) -> Page<FoundSpan> { Page(rows, limit: limit) }

    /// The part of the window that the pages before have not shown.
    var remaining: TimeWindow {
        guard let after else { return window }
        let end = Timestamp(nanoseconds: (UInt64(max(0, after.start)) + 1).multipliedReportingOverflow(by: 1_000).0)
        return TimeWindow(from: window.from, to: min(window.to ?? end, end))
    }

    /// Postgres knows how its rows are spread. SQLite is told, or it would sort all spans of the tenant.
    private func source(_ dialect: SQLDialect) -> SQLText {
        let hasIndex = [sessionID, conversationID, userID, callID].contains { $0 != nil }
        guard dialect == .sqlite, !hasIndex, service == nil || name == nil else { return "spans s" }
        return status == 2 ? "spans s INDEXED BY spans_error" : "spans s INDEXED BY spans_time"
    }

    private func conditions(_ dialect: SQLDialect) -> SQLText {
        var text: SQLText = ""
        if let after {
            let start = SQLValue.time(Timestamp(nanoseconds: UInt64(max(0, after.start)) * 1_000))
            text += " AND (s.start_time, \(dialect.row)) < (\(start), \(.row(after.row)))"
        }
        if let service { text += " AND s.service = \(.text(service))" }
        if let name { text += " AND s.name = \(.text(name))" }
        // In words, since the index of failed spans is for those words only.
        if status == 2 {
            text += " AND s.status = 2"
        } else if let status {
            text += " AND s.status = \(.integer(Int64(status)))"
        }
        if let minimumDuration { text += " AND s.duration_ns >= \(.integer(minimumDuration))" }
        if let maximumDuration { text += " AND s.duration_ns <= \(.integer(maximumDuration))" }
        if let sessionID { text += " AND s.session_id = \(.text(sessionID))" }
        if let conversationID { text += " AND s.conversation_id = \(.text(conversationID))" }
        if let userID { text += " AND s.user_id = \(.text(userID))" }
        if let callID { text += " AND s.call_id = \(.text(callID))" }
        for attribute in attributes { text += " AND \(dialect.matches(attribute: attribute.key, attribute.value))" }
        if onlyRoots { text += " AND s.parent_span_id IS NULL" }
        return text
    }
}
