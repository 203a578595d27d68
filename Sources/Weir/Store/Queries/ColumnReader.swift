/// Reads the columns of a row one after the other, as a database gives them in text.
struct ColumnReader {
    private let columns: [String?]
    private var index = 0

    init(_ columns: [String?]) {
        self.columns = columns
    }

    /// Nil is NULL.
    mutating func optionalText() throws(QueryError) -> String? {
        guard index < columns.count else { throw .unreadable("\(columns.count) columns, wanted more") }
        defer { index += 1 }
        return columns[index]
    }

    mutating func text() throws(QueryError) -> String {
        guard let text = try optionalText() else { throw .unreadable("NULL in column \(index)") }
        return text
    }

    mutating func optionalInteger() throws(QueryError) -> Int64? {
        guard let text = try optionalText() else { return nil }
        guard let number = Int64(text) else {
            throw .unreadable("\(text.quotedForMessage) in column \(index), wanted a number")
        }
        return number
    }

    mutating func integer() throws(QueryError) -> Int64 {
        guard let number = try optionalInteger() else { throw .unreadable("NULL in column \(index)") }
        return number
    }

    /// A time in microseconds since 1970.
    mutating func time() throws(QueryError) -> Timestamp {
        let microseconds = UInt64(max(0, try integer()))
        return Timestamp(nanoseconds: microseconds.multipliedReportingOverflow(by: 1_000).partialValue)
    }
}
