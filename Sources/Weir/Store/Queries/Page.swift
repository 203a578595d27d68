/// The rows that a query found, as many as it wanted.
struct Page<Row: Sendable>: Sendable {
    let rows: [Row]
    /// There are more.
    let hasMore: Bool

    /// - Parameter limit: what stands behind is cut off.
    init(_ rows: [Row], limit: Int) {
        hasMore = rows.count > limit
        self.rows = hasMore ? Array(rows.prefix(limit)) : rows
    }

    /// The same place with other rows.
    init(_ rows: [Row], hasMore: Bool) {
        self.rows = rows
        self.hasMore = hasMore
    }
}

extension Page<FoundSpan> {
    /// Where the next page begins; nil after the last.
    var next: SpanCursor? { hasMore ? rows.last?.cursor : nil }
}
