/// A place in the list of spans: the row that a page ended with. Whoever asks for what follows it misses no row and
/// gets none twice, however many spans have the same start, and whatever came in at the top meanwhile.
struct SpanCursor: Hashable, Sendable {
    /// Microseconds since 1970.
    let start: Int64
    /// Which of the rows with this start: the row's place in its table, from ``SQLDialect/rowNumber``.
    let row: Int64

    /// A start that is so late is none of a span: the moment after it would be more than 64 bits of nanoseconds.
    private static let endOfTime = Int64(UInt64.max / 1_000)

    init(start: Int64, row: Int64) {
        self.start = start
        self.row = row
    }

    /// Reads ``text``.
    init(_ text: String) throws(QueryError) {
        let digits = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard text.utf8.count == 32, digits, let start = Int64(text.prefix(16), radix: 16),
            start < Self.endOfTime, let row = Int64(text.suffix(16), radix: 16)
        else {
            throw .invalid("found cursor \(text.quotedForMessage), wanted one that a page ended with")
        }
        self.init(start: start, row: row)
    }

    var text: String { start.digits(16, radix: 16) + row.digits(16, radix: 16) }
}
