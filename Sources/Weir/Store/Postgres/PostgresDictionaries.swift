/// Keeps `resources` and `scopes`: each row is there before, or with, the first span that points to it, and says on
/// which day it was seen last.
struct PostgresDictionaries {
    private static let maxKnown = 100_000
    /// Of one statement, which has at most 65,535 parameters.
    private static let maxRows = 1_000

    private var day = Day(number: 0)
    /// Rows that were written on ``day``.
    private var known: Set<Int64> = []

    /// What of these rows has to be written today, in an order that is everybody's, so that two writers that wait for
    /// each other's rows never do so in a circle.
    mutating func missing(of rows: [DictionaryRow], on day: Day) -> [DictionaryRow] {
        if day != self.day || known.count >= Self.maxKnown {
            self.day = day
            known = []
        }
        return rows.filter { !known.contains($0.id) }.sorted { $0.id < $1.id }
    }

    /// Notes that rows are written and committed.
    mutating func note(_ rows: [DictionaryRow]) {
        known.formUnion(rows.map(\.id))
    }

    /// Writes rows of one table, in the order in which they are given.
    func write(_ rows: [DictionaryRow], on connection: PostgresConnection) throws(PostgresError) {
        for start in stride(from: 0, to: rows.count, by: Self.maxRows) {
            try write(rows[start..<min(rows.count, start + Self.maxRows)], on: connection)
        }
    }

    private func write(
        _ rows: ArraySlice<DictionaryRow>, on connection: PostgresConnection
    ) throws(PostgresError) {
        guard let first = rows.first else { return }
        let isScope = first.name != nil
        let columns = (isScope ? ["name", "version"] : []) + ["attributes", "schema_url"]
        var parameters: [PostgresParameter] = []
        let values = rows.map { row in
            let texts = (isScope ? [row.name ?? "", row.version ?? ""] : []) + [row.attributes, row.schemaURL]
            let places = texts.indices.map { "$\(parameters.count + 1 + $0)" }
            parameters += texts.map { .text($0) }
            return "(\(row.id), \(row.tenantID), '\(day.text)', \(places.joined(separator: ", ")))"
        }
        let table = isScope ? "scopes" : "resources"
        try connection.run(
            """
            INSERT INTO \(table) (id, tenant_id, last_seen, \(columns.joined(separator: ", ")))
            VALUES \(values.joined(separator: ", "))
            ON CONFLICT (id) DO UPDATE SET last_seen = excluded.last_seen
                WHERE \(table).last_seen < excluded.last_seen
            """, parameters)
    }
}
