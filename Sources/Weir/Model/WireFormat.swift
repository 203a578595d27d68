// The tags of the messages that Weir reads: field number << 3 | wire type.
// protobuf.dev, "Encoding": 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
enum Tag {
    // ExportTraceServiceRequest, TracesData
    static let resourceSpans: UInt64 = 0x0A
    // ResourceSpans
    static let resource: UInt64 = 0x0A
    static let scopeSpans: UInt64 = 0x12
    static let resourceSchemaURL: UInt64 = 0x1A
    // Resource
    static let resourceAttributes: UInt64 = 0x0A
    static let resourceDropped: UInt64 = 0x10
    static let resourceEntityRefs: UInt64 = 0x1A
    // ScopeSpans
    static let scope: UInt64 = 0x0A
    static let spans: UInt64 = 0x12
    static let scopeSchemaURL: UInt64 = 0x1A
    // InstrumentationScope
    static let scopeName: UInt64 = 0x0A
    static let scopeVersion: UInt64 = 0x12
    static let scopeAttributes: UInt64 = 0x1A
    static let scopeDropped: UInt64 = 0x20
    // Span
    static let traceID: UInt64 = 0x0A
    static let spanID: UInt64 = 0x12
    static let traceState: UInt64 = 0x1A
    static let parentSpanID: UInt64 = 0x22
    static let name: UInt64 = 0x2A
    static let kind: UInt64 = 0x30
    static let startTime: UInt64 = 0x39
    static let endTime: UInt64 = 0x41
    static let attributes: UInt64 = 0x4A
    static let droppedAttributes: UInt64 = 0x50
    static let events: UInt64 = 0x5A
    static let droppedEvents: UInt64 = 0x60
    static let links: UInt64 = 0x6A
    static let droppedLinks: UInt64 = 0x70
    static let status: UInt64 = 0x7A
    static let flags: UInt64 = 0x85  // field 16: two bytes on the wire, 85 01
    // Span.Event
    static let eventTime: UInt64 = 0x09
    static let eventName: UInt64 = 0x12
    static let eventAttributes: UInt64 = 0x1A
    static let eventDropped: UInt64 = 0x20
    // Span.Link
    static let linkTraceID: UInt64 = 0x0A
    static let linkSpanID: UInt64 = 0x12
    static let linkTraceState: UInt64 = 0x1A
    static let linkAttributes: UInt64 = 0x22
    static let linkDropped: UInt64 = 0x28
    static let linkFlags: UInt64 = 0x35
    // Status
    static let statusMessage: UInt64 = 0x12
    static let statusCode: UInt64 = 0x18
    // KeyValue
    static let keyValueKey: UInt64 = 0x0A
    static let keyValueValue: UInt64 = 0x12
    // AnyValue
    static let stringValue: UInt64 = 0x0A
    static let boolValue: UInt64 = 0x10
    static let intValue: UInt64 = 0x18
    static let doubleValue: UInt64 = 0x21
    static let arrayValue: UInt64 = 0x2A
    static let kvlistValue: UInt64 = 0x32
    static let bytesValue: UInt64 = 0x3A
    // ArrayValue, KeyValueList
    static let arrayValues: UInt64 = 0x0A
    static let kvlistValues: UInt64 = 0x0A
    // EntityRef
    static let entitySchemaURL: UInt64 = 0x0A
    static let entityType: UInt64 = 0x12
    static let entityIDKeys: UInt64 = 0x1A
    static let entityDescriptionKeys: UInt64 = 0x22
    // ExportTraceServiceResponse
    static let partialSuccess: UInt64 = 0x0A
    // ExportTracePartialSuccess
    static let rejectedSpans: UInt64 = 0x08
    static let partialErrorMessage: UInt64 = 0x12
    // google.rpc.Status
    static let rpcMessage: UInt64 = 0x12
}

/// Reads a base-128 varint.
/// - Returns: the value and where the next byte stands; beyond `end` when the number does not end within ten bytes or
///   the message.
@inline(__always)
func readVarint(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> (value: UInt64, next: Int) {
    let byte = base[position]
    if _fastPath(byte < 0x80 && position < end) { return (UInt64(byte), position + 1) }
    return readLongVarint(base, position, end)
}

@inline(never)
private func readLongVarint(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> (value: UInt64, next: Int) {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var position = start
    while position < end, shift < 70 {
        let byte = base[position]
        position += 1
        value |= UInt64(byte & 0x7F) &<< shift
        if byte < 0x80 { return (value, position) }
        shift += 7
    }
    return (0, Int.max)
}

/// One field of an encoded message.
struct Field {
    let tag: UInt64
    /// Where the tag stands.
    let start: Int
    /// Where the field ends.
    let end: Int
    /// Of wire types 0, 1 and 5.
    let number: UInt64
    /// Of wire type 2.
    let body: UnsafeRawBufferPointer
}

extension Field {
    /// A field of wire type 2 with these bytes.
    static func encoded(_ tag: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(tag) + varint(UInt64(bytes.count)) + bytes
    }

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

/// Walks the fields of an encoded message, off the hot path. Ends at the first broken field; ``isBroken`` tells.
struct FieldReader {
    let base: UnsafePointer<UInt8>
    private var position = 0
    private let end: Int
    private(set) var isBroken = false

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty message has no address; the pointer is then never read.
        base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        end = bytes.count
    }

    /// Bytes that were not read yet.
    var remaining: Int { end - position }

    mutating func next() -> Field? {
        guard position < end, !isBroken else { return nil }
        let start = position
        let (tag, afterTag) = readVarint(base, start, end)
        guard afterTag <= end, tag >> 3 != 0, tag >> 32 == 0 else { return fail() }
        switch tag & 7 {
        case 0:
            guard afterTag < end else { return fail() }
            let (value, next) = readVarint(base, afterTag, end)
            return finish(tag, start, next, number: value)
        case 1:
            guard end - afterTag >= 8 else { return fail() }
            return finish(tag, start, afterTag + 8, number: loadLittle64(base + afterTag))
        case 2:
            guard afterTag < end else { return fail() }
            let (count, next) = readVarint(base, afterTag, end)
            guard next <= end, count <= UInt64(end - next) else { return fail() }
            let body = UnsafeRawBufferPointer(start: base + next, count: Int(count))
            return finish(tag, start, next + Int(count), body: body)
        case 5:
            guard end - afterTag >= 4 else { return fail() }
            return finish(tag, start, afterTag + 4, number: UInt64(loadLittle32(base + afterTag)))
        default:
            return fail()  // groups are not part of proto3
        }
    }

    private mutating func finish(
        _ tag: UInt64, _ start: Int, _ next: Int, number: UInt64 = 0,
        body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> Field? {
        guard next <= end else { return fail() }
        position = next
        return Field(tag: tag, start: start, end: next, number: number, body: body)
    }

    private mutating func fail() -> Field? {
        isBroken = true
        return nil
    }
}

@inline(__always)
func loadLittle64(_ base: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
}

@inline(__always)
func loadLittle32(_ base: UnsafePointer<UInt8>) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt32.self))
}

@inline(__always)
func loadBig64(_ base: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(bigEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
}
