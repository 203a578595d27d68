/// What Postgres and SQLite say differently.
enum SQLDialect: Sendable {
    case postgres
    case sqlite

    /// The place of a value in a statement, with its type where the database would have to guess.
    func parameter(_ number: Int, _ value: SQLValue) -> String {
        guard self == .postgres else { return "?\(number)" }
        return switch value {
        case .text: "$\(number)::text"
        case .integer: "$\(number)::bigint"
        case .time: "$\(number)::timestamptz"
        case .traceID: "$\(number)::uuid"
        case .row: "$\(number)::tid"
        }
    }

    /// A value as libpq sends it.
    func text(of value: SQLValue) -> String {
        switch value {
        case .text(let text): text
        case .integer(let number): "\(number)"
        case .time(let time): time.text
        case .traceID(let id): id.text
        case .row(let place): "(\(place >> 16),\(place & 0xFFFF))"
        }
    }

    /// A time as microseconds since 1970.
    func microseconds(_ column: SQLText) -> SQLText {
        switch self {
        case .postgres: "CAST(extract(epoch FROM \(column)) * 1000000 AS bigint)"
        case .sqlite: column
        }
    }

    /// What a row costs, in 10⁻¹² dollars.
    func picoDollars(_ table: SQLText) -> SQLText {
        switch self {
        case .postgres: "CAST(\(table).total_cost * 1000000000000 AS bigint)"
        case .sqlite: "\(table).total_cost_pico"
        }
    }

    /// The id of a trace in hexadecimal digits.
    func hex(_ column: SQLText) -> SQLText {
        switch self {
        case .postgres: "replace(\(column)::text, '-', '')"
        case .sqlite: "lower(hex(\(column)))"
        }
    }

    /// What tells rows of the same time apart and puts them in an order. Rows are never changed, so they stay where
    /// they are.
    var row: SQLText {
        switch self {
        case .postgres: "s.ctid"
        case .sqlite: "s.rowid"
        }
    }

    /// ``row`` as a number.
    var rowNumber: SQLText {
        switch self {
        case .postgres: "CAST((s.ctid::text::point)[0] * 65536 + (s.ctid::text::point)[1] AS bigint)"
        case .sqlite: "s.rowid"
        }
    }

    /// Whether a span started in the window, in words that an index on the time is found by.
    func started(in window: TimeWindow) -> SQLText {
        var text = window.condition(on: "s.start_time")
        guard self == .sqlite else { return text }
        if window.from.nanoseconds > 0 { text += " AND s.start_time / 10000000 >= \(.time(window.from)) / 10000000" }
        if let end = window.to { text += " AND s.start_time / 10000000 <= \(.time(end)) / 10000000" }
        return text
    }

    /// The order of spans, the newest first. The indexes of SQLite know the time in tens of seconds, so that it sorts
    /// no more than those.
    var newestFirst: SQLText {
        switch self {
        case .postgres: "s.start_time DESC, \(row) DESC"
        case .sqlite: "s.start_time / 10000000 DESC, s.start_time DESC, \(row) DESC"
        }
    }

    /// Whether the span has the attribute, as text; lists and objects have none. The key is never a part of a path, so
    /// it may hold anything.
    func matches(attribute key: String, _ value: String) -> SQLText {
        switch self {
        case .postgres:
            """
            s.attributes ->> \(.text(key)) = \(.text(value))
                AND jsonb_typeof(s.attributes -> \(.text(key))) NOT IN ('array', 'object')
            """
        case .sqlite:
            """
            EXISTS (SELECT 1 FROM json_each(s.attributes) a WHERE a.key = \(.text(key)) AND \(.text(value)) =
                CASE a.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(a.atom AS text) END)
            """
        }
    }

    /// The members of a JSON object as rows of `key` and `value`.
    func members(_ column: SQLText) -> SQLText {
        switch self {
        case .postgres: "jsonb_each_text(\(column))"
        case .sqlite: "json_each(\(column))"
        }
    }

    /// The other way.
    func object(_ key: SQLText, _ value: SQLText) -> SQLText {
        switch self {
        case .postgres: "CAST(jsonb_object_agg(\(key), \(value)) AS text)"
        case .sqlite: "json_group_object(\(key), \(value))"
        }
    }

    /// The sum of numbers that senders choose: at most what 63 bits hold, where others would make the query fail.
    func sum(_ column: SQLText) -> SQLText {
        switch self {
        case .postgres: "CAST(least(coalesce(sum(\(column)), 0), 9223372036854775807) AS bigint)"
        case .sqlite: "CAST(total(\(column)) AS integer)"
        }
    }

    /// The sum of `total_cost` in two parts: millionths of a dollar, and 10⁻¹² dollars. One part alone could be too
    /// much for 63 bits. Senders choose these numbers as well, so each is at most that; up to nine billion dollars
    /// they are exact.
    var cost: SQLText { cost("") }

    /// - Parameter filter: which rows the sum is over, as ` FILTER (WHERE …)`.
    func cost(_ filter: SQLText) -> SQLText {
        switch self {
        case .postgres:
            """
            CAST(least(coalesce(sum(trunc(total_cost, 6))\(filter), 0) * 1000000, 9223372036854775807) AS bigint),
            CAST(coalesce(sum(total_cost - trunc(total_cost, 6))\(filter), 0) * 1000000000000 AS bigint)
            """
        case .sqlite:
            """
            CAST(total(total_cost_pico / 1000000)\(filter) AS integer),
            CAST(total(total_cost_pico % 1000000)\(filter) AS integer)
            """
        }
    }

    /// ``cost``, of `cost_rollups`.
    var rollupCost: SQLText {
        switch self {
        case .postgres: cost
        case .sqlite: "\(sum("total_cost_micro")), \(sum("total_cost_pico"))"
        }
    }

    /// The day of a time, in UTC: `2026-02-03`.
    func date(_ column: SQLText) -> SQLText {
        switch self {
        case .postgres: "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
        case .sqlite: "strftime('%Y-%m-%d', \(column) / 1000000, 'unixepoch')"
        }
    }

    /// The id of a span in hexadecimal digits.
    func hex(spanID column: SQLText) -> SQLText {
        switch self {
        case .postgres: "lpad(to_hex(\(column)), 16, '0')"
        case .sqlite: "printf('%016x', \(column))"
        }
    }

    /// The column of a cost.
    var costColumn: SQLText {
        switch self {
        case .postgres: "total_cost"
        case .sqlite: "total_cost_pico"
        }
    }
}
