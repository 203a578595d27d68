/// A value that a statement is given.
enum SQLValue: Sendable {
    case text(String)
    case integer(Int64)
    /// To the microsecond.
    case time(Timestamp)
    case traceID(TraceID)
    /// Where a row lies: see ``SpanCursor``.
    case row(Int64)
}
