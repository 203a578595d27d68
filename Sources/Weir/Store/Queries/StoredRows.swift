/// Rows as a database gives them, in text, and no more of them than there is room for.
struct StoredRows: Sendable {
    /// Of all values together; without one there is room for everything.
    let maximum: ByteCount?
    private(set) var rows: [[String?]] = []
    /// There was no room for a row, and what comes behind it is not wanted any more.
    private(set) var isTooMuch = false
    private var bytes = 0

    init(atMost maximum: ByteCount? = nil) {
        self.maximum = maximum
    }

    /// A row that goes over the limit is still taken, the next one is not: a page asks for one more than it shows.
    mutating func append(_ row: [String?]) {
        isTooMuch = maximum.map { bytes > $0.bytes } ?? false
        guard !isTooMuch else { return }
        bytes += row.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        rows.append(row)
    }

    /// Hands over the rows of a part. Their bytes stay counted.
    mutating func take() -> [[String?]] {
        defer { rows = [] }
        return rows
    }
}
