// What the decoders make of a request: trivial records of fixed size that point into the batch.
// One object per field, or reference counting in the loop, would cost forty times as much (docs/decisions.md).

/// What can be said of a record in a bit.
struct RecordState: OptionSet, BitwiseCopyable {
    let rawValue: UInt8

    /// (Resource, scope) the sender set this message, even if it is empty.
    static let present = RecordState(rawValue: 1)
    /// (Span) something was added to it, attributes or a trace state. If it is not dirty, its bytes and what was added
    /// are written, one behind the other.
    static let extended = RecordState(rawValue: 1)
    /// Changed since it was decoded, or never encoded as protobuf: written from the record, not from its bytes.
    static let dirty = RecordState(rawValue: 2)
    /// A processor removed it, or a decoder found that it is not sound.
    static let dropped = RecordState(rawValue: 4)
    /// Its bytes hold fields that the record does not.
    static let unknownFields = RecordState(rawValue: 8)
    /// (Span) the status message was set.
    static let hasStatus = RecordState(rawValue: 16)
    /// (Span) the bytes of the status hold fields that the record does not.
    static let unknownStatusFields = RecordState(rawValue: 32)
    /// (Span) `parent_span_id` was set.
    static let hasParent = RecordState(rawValue: 64)
    /// (Span) sampling left it out. It is dropped as well.
    static let sampledOut = RecordState(rawValue: 128)
}

/// opentelemetry/proto/trace/v1/trace.proto, message Span.
struct SpanRecord: BitwiseCopyable {
    var traceIDHigh: UInt64 = 0
    var traceIDLow: UInt64 = 0
    var spanID: UInt64 = 0
    var parentSpanID: UInt64 = 0
    /// Nanoseconds since 1970.
    var startTime: UInt64 = 0
    var endTime: UInt64 = 0
    var name = ByteRef.empty
    var traceState = ByteRef.empty
    var statusMessage = ByteRef.empty
    /// The span as it was received. Empty where it did not come as protobuf.
    var wire = ByteRef.empty
    var attributeStart: UInt32 = 0
    var attributeCount: UInt32 = 0
    var eventStart: UInt32 = 0
    var eventCount: UInt32 = 0
    var linkStart: UInt32 = 0
    var linkCount: UInt32 = 0
    var flags: UInt32 = 0
    var scope: UInt32 = 0
    var droppedAttributes: UInt32 = 0
    var droppedEvents: UInt32 = 0
    var droppedLinks: UInt32 = 0
    var kind: UInt8 = 0
    var status: UInt8 = 0
    var state: RecordState = []
    /// Which rule of the batch sampled it out; see ``Batch/addSamplingRule(_:)``.
    var samplingRule: UInt8 = 0

    var trace: TraceID { TraceID(high: traceIDHigh, low: traceIDLow) }
    var attributes: AttributeRange { AttributeRange(start: attributeStart, count: attributeCount) }
    var events: Range<Int> { Int(eventStart)..<Int(eventStart) + Int(eventCount) }
    var links: Range<Int> { Int(linkStart)..<Int(linkStart) + Int(linkCount) }
}

/// opentelemetry/proto/common/v1/common.proto, message KeyValue.
struct AttributeRecord: BitwiseCopyable {
    static let noWire = UInt32.max

    var key: ByteRef
    /// A ``ByteRef`` for text, bytes, arrays and lists; else the bits of the number.
    var value: UInt64
    /// Where the length and the bytes of the KeyValue stand, or ``noWire``.
    var wireOffset: UInt32
    var kind: ValueKind
    /// A processor removed it.
    var isRemoved = false
    /// A processor wants it encrypted, by the one that does that: all of it, or the ``MarkedMembers`` with this number.
    private(set) var marks: UInt16 = 0

    var valueRef: ByteRef { ByteRef(packed: value) }

    var mustEncrypt: Bool { marks == .max }
    var mustEncryptMembers: Bool { marks != 0 && marks != .max }

    /// - Parameter number: of members; nil is all of it.
    mutating func encrypt(_ number: UInt16?) { marks = mustEncrypt ? .max : number ?? .max }
}

/// Attribute records that belong to one owner stand side by side.
struct AttributeRange: BitwiseCopyable {
    var start: UInt32 = 0
    var count: UInt32 = 0

    @inline(__always)
    var indices: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// Message Span.Event.
struct EventRecord: BitwiseCopyable {
    var time: UInt64 = 0
    var name = ByteRef.empty
    var attributes = AttributeRange()
    var wire = ByteRef.empty
    var droppedAttributes: UInt32 = 0
    var state: RecordState = []
}

/// Message Span.Link.
struct LinkRecord: BitwiseCopyable {
    var traceIDHigh: UInt64 = 0
    var traceIDLow: UInt64 = 0
    var spanID: UInt64 = 0
    var traceState = ByteRef.empty
    var attributes = AttributeRange()
    var wire = ByteRef.empty
    var droppedAttributes: UInt32 = 0
    var flags: UInt32 = 0
    var state: RecordState = []
}

/// Messages ScopeSpans and InstrumentationScope.
struct ScopeRecord: BitwiseCopyable {
    var attributes = AttributeRange()
    var droppedAttributes: UInt32 = 0
    var spanStart: UInt32 = 0
    var spanCount: UInt32 = 0
    var resource: UInt32 = 0
    var name = ByteRef.empty
    var version = ByteRef.empty
    var schemaURL = ByteRef.empty
    /// The bytes of the InstrumentationScope.
    var wire = ByteRef.empty
    /// Encoded fields of the InstrumentationScope that this record does not hold.
    var extra = ByteRef.empty
    /// The same of the ScopeSpans around it.
    var containerExtra = ByteRef.empty
    var state: RecordState = []

    var spans: Range<Int> { Int(spanStart)..<Int(spanStart) + Int(spanCount) }
}

/// Messages ResourceSpans and Resource.
struct ResourceRecord: BitwiseCopyable {
    var attributes = AttributeRange()
    var droppedAttributes: UInt32 = 0
    var scopeStart: UInt32 = 0
    var scopeCount: UInt32 = 0
    var schemaURL = ByteRef.empty
    /// The bytes of the Resource.
    var wire = ByteRef.empty
    /// Encoded fields of the Resource that this record does not hold, `entity_refs` among them.
    var extra = ByteRef.empty
    /// The same of the ResourceSpans around it.
    var containerExtra = ByteRef.empty
    var state: RecordState = []

    var scopes: Range<Int> { Int(scopeStart)..<Int(scopeStart) + Int(scopeCount) }
}
