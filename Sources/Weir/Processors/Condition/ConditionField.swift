/// What a condition can ask of a span.
///
/// Each has one value of the kinds that attributes have, so that one set of tests does for all: words and ids are
/// integers, durations are nanoseconds. A trace id is two integers, and so two fields.
enum ConditionField: Sendable {
    case name
    case kind
    case status
    case statusMessage
    case duration
    case traceIDHigh
    case traceIDLow
    case spanID
    /// Nil where the span has no parent.
    case parentSpanID
    case isRoot
    case scopeName
    case scopeVersion
    /// The first attribute with this key; nil where there is none.
    case attribute(AttributeKey)
    case resourceAttribute(AttributeKey)
}

extension ConditionField {
    /// Fields that are one word. Attributes have a key behind theirs.
    static let words: [(word: String, field: ConditionField)] = [
        ("name", .name), ("kind", .kind), ("status", .status), ("status.message", .statusMessage),
        ("duration", .duration), ("trace_id", .traceIDHigh), ("span_id", .spanID), ("parent_span_id", .parentSpanID),
        ("is_root", .isRoot), ("scope.name", .scopeName), ("scope.version", .scopeVersion),
    ]

    /// What a field can be compared with.
    enum ValueType {
        case text
        /// One of these words; the value is the word's position.
        case word([String])
        case duration
        /// So many hexadecimal digits.
        case identifier(digits: Int, isOptional: Bool)
        case bool
        /// Whatever the sender gave it.
        case any
    }

    var type: ValueType {
        switch self {
        case .name, .statusMessage, .scopeName, .scopeVersion: .text
        // opentelemetry/proto/trace/v1/trace.proto, Span.SpanKind and Status.StatusCode, in this order from 0.
        case .kind: .word(["unspecified", "internal", "server", "client", "producer", "consumer"])
        case .status: .word(["unset", "ok", "error"])
        case .duration: .duration
        case .traceIDHigh, .traceIDLow: .identifier(digits: 32, isOptional: false)
        case .spanID: .identifier(digits: 16, isOptional: false)
        case .parentSpanID: .identifier(digits: 16, isOptional: true)
        case .isRoot: .bool
        case .attribute, .resourceAttribute: .any
        }
    }

    /// Whether all spans of a scope have the same.
    var isShared: Bool {
        switch self {
        case .scopeName, .scopeVersion, .resourceAttribute: true
        default: false
        }
    }

    @inline(__always)
    func value(of span: SpanRecord, in batch: borrowing Batch) -> AnyValue? {
        switch self {
        case .name: .string(batch.bytes(span.name))
        case .kind: .int(Int64(span.kind))
        case .status: .int(Int64(span.status))
        case .statusMessage: .string(batch.bytes(span.statusMessage))
        // Where clocks were set back, or the end is missing, nothing is known to have taken long.
        case .duration: .int(Int64(clamping: span.endTime > span.startTime ? span.endTime - span.startTime : 0))
        case .traceIDHigh: .int(Int64(bitPattern: span.traceIDHigh))
        case .traceIDLow: .int(Int64(bitPattern: span.traceIDLow))
        case .spanID: .int(Int64(bitPattern: span.spanID))
        case .parentSpanID: span.parentSpanID == 0 ? nil : .int(Int64(bitPattern: span.parentSpanID))
        case .isRoot: .bool(span.parentSpanID == 0)
        case .scopeName: .string(batch.bytes(batch.scopes[Int(span.scope)].name))
        case .scopeVersion: .string(batch.bytes(batch.scopes[Int(span.scope)].version))
        case .attribute(let key): batch.value(of: key, in: span.attributes)
        case .resourceAttribute(let key): batch.resourceValue(of: key, for: span)
        }
    }
}
