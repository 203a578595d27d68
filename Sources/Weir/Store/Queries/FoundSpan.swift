/// What a list shows of a span.
struct FoundSpan: Equatable, Sendable {
    static let kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"]
    static let statuses = ["unset", "ok", "error"]

    /// Where the row stands in a list.
    let cursor: SpanCursor
    /// As it was sent.
    let startTime: Timestamp
    /// Nanoseconds; negative where the span ends before it starts, nil where it has no end.
    let duration: Int64?
    /// Hexadecimal digits.
    let traceID: String
    let spanID: UInt64
    let parentSpanID: UInt64?
    let kind: Int64
    let status: Int64
    let operation: Int64
    let isClockSuspect: Bool
    let service: String
    let name: String
    var statusMessage: String?
    var sessionID: String?
    var conversationID: String?
    var userID: String?
    var callID: String?
    /// Why a column that was to be decrypted is empty, by its name.
    var unreadable: [String: Unreadable] = [:]

    /// The columns of `spans s`.
    static func columns(_ dialect: SQLDialect) -> SQLText {
        """
        \(dialect.microseconds("s.start_time")) AS place_time, \(dialect.rowNumber), s.start_ns, s.duration_ns,
            \(dialect.hex("s.trace_id")), s.span_id, s.parent_span_id, s.kind, s.status, s.operation,
            CAST(s.clock_suspect AS integer), s.service, s.name, s.status_message, s.session_id, s.conversation_id,
            s.user_id, s.call_id
        """
    }

    init(_ columns: inout ColumnReader) throws(QueryError) {
        cursor = SpanCursor(start: try columns.integer(), row: try columns.integer())
        startTime = Timestamp(nanoseconds: UInt64(bitPattern: try columns.integer()))
        duration = try columns.optionalInteger()
        traceID = try columns.text()
        spanID = UInt64(bitPattern: try columns.integer())
        parentSpanID = try columns.optionalInteger().map { UInt64(bitPattern: $0) }
        kind = try columns.integer()
        status = try columns.integer()
        operation = try columns.integer()
        isClockSuspect = try columns.integer() != 0
        service = try columns.text()
        name = try columns.text()
        statusMessage = try columns.optionalText()
        sessionID = try columns.optionalText()
        conversationID = try columns.optionalText()
        userID = try columns.optionalText()
        callID = try columns.optionalText()
    }

    var kindName: String { Self.name(ofKind: kind) }
    var statusName: String { Self.name(status, Self.statuses) }
    var operationName: String { OperationKind.name(of: operation) }

    static func name(ofKind kind: Int64) -> String { name(kind, kinds) }

    /// A number that has no name stands for itself.
    private static func name(_ number: Int64, _ names: [String]) -> String {
        names.indices.contains(Int(number)) ? names[Int(number)] : "\(number)"
    }
}

extension OperationKind {
    /// The name of a number in a column.
    static func name(of number: Int64) -> String {
        Int16(exactly: number).flatMap { OperationKind(rawValue: $0) }?.name ?? "\(number)"
    }
}
