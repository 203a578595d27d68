/// The request as a whole cannot be walked, or not within its limits. Nothing of it is taken.
enum DecodeError: Error, Equatable {
    /// The encoding breaks off or contradicts itself, at this byte.
    case malformed(_ what: String, offset: Int)
    /// What it decodes to is over the limit.
    case tooLarge
}

/// Reads ExportTraceServiceRequest into a batch: one pass, no allocation, no copy.
///
/// A span that is broken inside is rejected alone and counted; a request whose frame (ExportTraceServiceRequest,
/// ResourceSpans, ScopeSpans, Resource, InstrumentationScope) is broken is refused as a whole. A submessage that may
/// stand once but stands twice is merged as protobuf says for Resource and InstrumentationScope (concatenated bytes
/// parse as the merged message); inside a span it is a defect of the span.
struct OTLPDecoder {
    /// How deep arrays and kvlists may be nested in one attribute value.
    let maxValueDepth: Int

    init(maxValueDepth: Int = 64) {
        self.maxValueDepth = maxValueDepth
    }

    /// Replaces what the batch held.
    func decode(_ payload: Payload, into batch: inout Batch) throws(DecodeError) {
        batch.reset(to: payload)
        batch.arena.pointee.isVerbatim = true
        var reader = RequestReader(batch.arena, maxValueDepth: maxValueDepth)
        try reader.readRequest()
        if batch.isOverfull { throw .tooLarge }
        if batch.arena.pointee.rejected.count > 0 { batch.arena.pointee.isVerbatim = false }
    }
}

/// Walks the frame of a request, down to the spans.
struct RequestReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let maxValueDepth: Int
    private let base: UnsafePointer<UInt8>

    init(_ arena: UnsafeMutablePointer<Batch.Arena>, maxValueDepth: Int) {
        self.arena = arena
        self.maxValueDepth = maxValueDepth
        base = arena.pointee.payload.base.assumingMemoryBound(to: UInt8.self)
    }

    mutating func readRequest() throws(DecodeError) {
        try eachField(of: ByteRef(0, arena.pointee.payload.count), "ExportTraceServiceRequest") {
            (tag, body, _) throws(DecodeError) in
            // A field of the request that nobody knows has no meaning to keep: the request is not forwarded, its spans
            // are.
            if tag == Tag.resourceSpans { try readResourceSpans(body) }
        }
    }

    private func readResourceSpans(_ message: ByteRef) throws(DecodeError) {
        let index = arena.pointee.resources.count
        var record = ResourceRecord()
        record.scopeStart = UInt32(arena.pointee.scopes.count)
        var defect: SpanDefect?
        arena.pointee.resources.append(record)
        if arena.pointee.resources.isOverfull { throw .tooLarge }
        try eachField(of: message, "ResourceSpans") { (tag, body, field) throws(DecodeError) in
            switch tag {
            case Tag.resource:
                record.wire = merged(record, body)
                record.state.insert(.present)
            case Tag.scopeSpans: try readScopeSpans(body, resource: UInt32(index))
            case Tag.resourceSchemaURL:
                record.schemaURL = body
                if !isText(body) { defect = .text }
            default: record.containerExtra = extended(record.containerExtra, field)
            }
        }
        // Read when its last part is there: reading it with each part would take the square of their number.
        if record.state.contains(.present) { defect = try readResource(&record) ?? defect }
        record.scopeCount = UInt32(arena.pointee.scopes.count) - record.scopeStart
        arena.pointee.resources[index] = record
        if let defect { arena.pointee.reject(resource: index, because: defect) }
    }

    private func readResource(_ record: inout ResourceRecord) throws(DecodeError) -> SpanDefect? {
        var defect: SpanDefect?
        record.attributes.start = UInt32(arena.pointee.attributes.count)
        try eachField(of: record.wire, "Resource") { (tag, body, field) throws(DecodeError) in
            switch tag {
            case Tag.resourceAttributes: defect = readAttribute(body, of: field) ?? defect
            case Tag.resourceDropped: record.droppedAttributes = UInt32(truncatingIfNeeded: number(body))
            default:
                if tag == Tag.resourceEntityRefs { defect = checkEntityRef(body) ?? defect }
                record.extra = extended(record.extra, field)
            }
        }
        record.attributes.count = UInt32(arena.pointee.attributes.count) - record.attributes.start
        return defect
    }

    /// An EntityRef holds nothing but text; it is kept as its bytes.
    private func checkEntityRef(_ body: ByteRef) -> SpanDefect? {
        var fields = FieldReader(UnsafeRawBufferPointer(start: address(body), count: Int(body.count)))
        while let field = fields.next() {
            guard (Tag.entitySchemaURL...Tag.entityDescriptionKeys).contains(field.tag), field.tag & 7 == 2 else {
                continue
            }
            let text = field.body.assumingMemoryBound(to: UInt8.self)
            if let base = text.baseAddress, !isValidUTF8(base, text.count) { return .text }
        }
        return fields.isBroken ? .encoding : nil
    }

    private func readScopeSpans(_ message: ByteRef, resource: UInt32) throws(DecodeError) {
        let index = arena.pointee.scopes.count
        var record = ScopeRecord()
        record.resource = resource
        record.spanStart = UInt32(arena.pointee.spans.count)
        var defect: SpanDefect?
        arena.pointee.scopes.append(record)
        if arena.pointee.scopes.isOverfull { throw .tooLarge }
        var spans = SpanReader(arena, base, maxValueDepth: maxValueDepth, scope: UInt32(index))
        try eachField(of: message, "ScopeSpans") { (tag, body, field) throws(DecodeError) in
            switch tag {
            case Tag.spans: spans.read(body)
            case Tag.scope:
                record.wire = merged(record, body)
                record.state.insert(.present)
            case Tag.scopeSchemaURL:
                record.schemaURL = body
                if !isText(body) { defect = .text }
            default: record.containerExtra = extended(record.containerExtra, field)
            }
        }
        if record.state.contains(.present) { defect = try readScope(&record) ?? defect }
        record.spanCount = UInt32(arena.pointee.spans.count) - record.spanStart
        arena.pointee.scopes[index] = record
        if let defect { arena.pointee.reject(scope: index, because: defect) }
    }

    private func readScope(_ record: inout ScopeRecord) throws(DecodeError) -> SpanDefect? {
        var defect: SpanDefect?
        record.attributes.start = UInt32(arena.pointee.attributes.count)
        try eachField(of: record.wire, "InstrumentationScope") { (tag, body, field) throws(DecodeError) in
            switch tag {
            case Tag.scopeName:
                record.name = body
                if !isText(body) { defect = .text }
            case Tag.scopeVersion:
                record.version = body
                if !isText(body) { defect = .text }
            case Tag.scopeAttributes: defect = readAttribute(body, of: field) ?? defect
            case Tag.scopeDropped: record.droppedAttributes = UInt32(truncatingIfNeeded: number(body))
            default: record.extra = extended(record.extra, field)
            }
        }
        record.attributes.count = UInt32(arena.pointee.attributes.count) - record.attributes.start
        return defect
    }

    // MARK: Fields of the frame

    /// Calls `read` with the tag, the body (of wire type 2, else the encoded number) and the whole field.
    @inline(__always)
    private func eachField(
        of message: ByteRef, _ name: StaticString, _ read: (UInt64, ByteRef, ByteRef) throws(DecodeError) -> Void
    ) throws(DecodeError) {
        let origin = message.offset & ByteRef.side
        var position = message.position
        let end = position + Int(message.count)
        while position < end {
            // The side buffer may move while its bytes are read, so its address is asked for anew each time.
            let base = origin == 0 ? base : UnsafePointer(arena.pointee.side.base)
            let start = position
            let (tag, afterTag) = readVarint(base, position, end)
            guard afterTag <= end else { throw malformed(name, start) }
            let (bodyStart, bodyEnd) = fieldBody(base, tag, afterTag, end)
            guard bodyEnd <= end else { throw malformed(name, start) }
            position = bodyEnd
            try read(
                tag, ByteRef(bodyStart, bodyEnd - bodyStart, origin: origin),
                ByteRef(start, bodyEnd - start, origin: origin))
        }
    }

    private func malformed(_ name: StaticString, _ offset: Int) -> DecodeError {
        .malformed("\(name): a field breaks off or has an unknown wire type", offset: offset)
    }

    private func address(_ ref: ByteRef) -> UnsafePointer<UInt8> {
        (ref.isInSide ? UnsafePointer(arena.pointee.side.base) : base) + ref.position
    }

    private func number(_ body: ByteRef) -> UInt64 {
        readVarint(address(body), 0, Int(body.count)).value
    }

    private func isText(_ ref: ByteRef) -> Bool {
        isValidUTF8(address(ref), Int(ref.count))
    }

    private func readAttribute(_ body: ByteRef, of field: ByteRef) -> SpanDefect? {
        let origin = body.offset & ByteRef.side
        let base = origin == 0 ? base : UnsafePointer(arena.pointee.side.base)
        var reader = AttributeReader(arena, base, origin, maxValueDepth)
        let afterTag = readVarint(base, field.position, body.position).next
        reader.read(body.position, body.position + Int(body.count), wireOffset: afterTag)
        return reader.defect
    }

    private func merged(_ record: ResourceRecord, _ body: ByteRef) -> ByteRef {
        record.state.contains(.present) ? joined(record.wire, body) : body
    }

    private func merged(_ record: ScopeRecord, _ body: ByteRef) -> ByteRef {
        record.state.contains(.present) ? joined(record.wire, body) : body
    }

    private func extended(_ extra: ByteRef, _ field: ByteRef) -> ByteRef {
        extra.count == 0 ? field : joined(extra, field)
    }

    /// Both byte runs, one behind the other, in the side buffer.
    private func joined(_ first: ByteRef, _ second: ByteRef) -> ByteRef {
        let atEnd = first.isInSide && first.position + Int(first.count) == arena.pointee.side.count
        let start = atEnd ? first.position : arena.pointee.side.count
        if !atEnd { arena.pointee.side.append(address(first), count: Int(first.count)) }
        arena.pointee.side.append(address(second), count: Int(second.count))
        // What was not appended must not be read; the decoder refuses the request when it is done.
        if arena.pointee.side.isOverfull { return .empty }
        return ByteRef(start, Int(first.count) + Int(second.count), origin: ByteRef.side)
    }
}

/// Where the body of a field starts and ends; its end is beyond `end` when it is broken. Fields of wire type 2 have a
/// body behind their length; for the others it is the encoded number.
@inline(__always)
func fieldBody(_ base: UnsafePointer<UInt8>, _ tag: UInt64, _ position: Int, _ end: Int) -> (start: Int, end: Int) {
    // protobuf: field numbers are 1 to 536,870,911.
    guard tag >= 8, tag >> 32 == 0, position < end else { return (position, Int.max) }
    switch tag & 7 {
    case 0: return (position, readVarint(base, position, end).next)
    case 1: return (position, position + 8)
    case 2:
        let (count, start) = readVarint(base, position, end)
        guard start <= end, count <= UInt64(end - start) else { return (position, Int.max) }
        return (start, start + Int(count))
    case 5: return (position, position + 4)
    default: return (position, Int.max)  // groups are not part of proto3
    }
}

extension OTLPDecoder {
    static func isKnownSpanTag(_ tag: UInt64) -> Bool {
        switch tag {
        case Tag.traceID, Tag.spanID, Tag.traceState, Tag.parentSpanID, Tag.name, Tag.kind, Tag.startTime, Tag.endTime,
            Tag.attributes, Tag.droppedAttributes, Tag.events, Tag.droppedEvents, Tag.links, Tag.droppedLinks,
            Tag.status,
            Tag.flags:
            true
        default: false
        }
    }

    static func isKnownEventTag(_ tag: UInt64) -> Bool {
        switch tag {
        case Tag.eventTime, Tag.eventName, Tag.eventAttributes, Tag.eventDropped: true
        default: false
        }
    }

    static func isKnownLinkTag(_ tag: UInt64) -> Bool {
        switch tag {
        case Tag.linkTraceID, Tag.linkSpanID, Tag.linkTraceState, Tag.linkAttributes, Tag.linkDropped, Tag.linkFlags:
            true
        default: false
        }
    }
}
