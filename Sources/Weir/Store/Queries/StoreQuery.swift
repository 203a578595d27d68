/// A question about the spans of a tenant. Both databases are asked in the same words, as far as they have them.
protocol StoreQuery: Sendable {
    associatedtype Row: Sendable
    static var limits: QueryLimits { get }
    /// The version of the tables from which on they can be asked this. Older ones have nothing of it.
    static var tables: Int { get }
    var tenants: TenantScope { get }
    var window: TimeWindow { get }
    /// Rows, at most ``limits``.
    var limit: Int { get set }

    /// Throws where a value makes no sense.
    func check() throws(QueryError)
    /// The part of the window that can give rows.
    var remaining: TimeWindow { get }
    /// The windows that are asked for one after the other, newest first, where all days are in one database.
    func parts(at now: Timestamp) -> [TimeWindow]
    /// How many rows the next part may give, where the parts before gave these; 0 if nothing is missing.
    func wanted(after rows: [Row]) -> Int
    /// - Parameter count: rows at most.
    func sql(in window: TimeWindow, atMost count: Int, _ dialect: SQLDialect) -> SQLText
    /// Reads a row of what ``sql(in:atMost:_:)`` gives.
    func row(_ columns: inout ColumnReader) throws(QueryError) -> Row
    /// Adds the rows of a part.
    func merge(_ found: [Row], into rows: inout [Row]) throws(QueryError)
    /// What all parts gave together, in its order.
    func page(of rows: [Row]) -> Page<Row>
}

extension StoreQuery {
    static var tables: Int { 1 }

    func check() throws(QueryError) {}

    var remaining: TimeWindow { window }

    func parts(at now: Timestamp) -> [TimeWindow] { [window] }

    /// Asks one part after the other, until nothing is missing.
    /// - Parameters:
    ///   - maximum: of the values of all parts.
    ///   - ask: gets a part, how many rows it may give at most, and what they are added to.
    func answer<Part>(
        in parts: [Part], atMost maximum: ByteCount?,
        from ask: (Part, Int, StoredRows) async throws(QueryError) -> StoredRows
    ) async throws(QueryError) -> Page<Row> {
        var rows: [Row] = []
        var stored = StoredRows(atMost: maximum)
        for part in parts {
            let count = wanted(after: rows)
            guard count > 0 else { break }
            var found: [Row] = []
            stored = try await ask(part, count, stored)
            if stored.isTooMuch, let maximum { throw .tooLarge(maximum) }
            for columns in stored.take() {
                var reader = ColumnReader(columns)
                found.append(try row(&reader))
            }
            try merge(found, into: &rows)
        }
        return page(of: rows)
    }

    /// Throws where the question is wrong, before anybody is asked. No text of theirs holds U+0000: such a thing is not
    /// in any database, and Postgres would not take it.
    func validate() throws(QueryError) {
        try Self.limits.check(limit)
        guard !window.isEmpty else {
            let end = window.to?.text ?? ""
            throw .invalid("found a window from \(window.from.text) to \(end), wanted one that ends after it begins")
        }
        try check()
        for case .text(let text) in sql(in: window, atMost: 1, .postgres).rendered(for: .postgres).values {
            guard !text.utf8.contains(0) else {
                throw .invalid("found U+0000 in \(text.quotedForMessage), wanted text without it")
            }
        }
    }
}
