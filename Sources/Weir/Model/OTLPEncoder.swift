/// Writes a batch as ExportTraceServiceRequest (the same bytes as TracesData).
///
/// What was not changed is written as the bytes it came in, so unknown fields, field order and long-form varints
/// survive; what was changed is written from its record, followed by the unknown fields of its bytes.
struct OTLPEncoder: ~Copyable {
    private var writer: ReverseWriter

    /// Bytes that are kept from one request to the next.
    private static let retained = 1 << 20
    /// Bytes of what processors add to a span from texts that many spans share, as most do.
    private static let expectedAddition = 128

    /// - Parameter limit: bytes that a batch may be encoded to. Few bytes, shared by many spans, can make many.
    init(capacity: Int = 64 << 10, limit: Int = ReverseWriter.maxLimit) {
        writer = ReverseWriter(capacity: capacity, limit: limit)
    }

    /// - Returns: the request, nil where it is over the limit. For a batch that nobody changed, the payload itself.
    mutating func encode(_ batch: borrowing Batch) -> Payload? {
        if batch.arena.pointee.isVerbatim { return batch.arena.pointee.payload }
        writer.begin(
            expecting: batch.arena.pointee.payload.count + batch.arena.pointee.side.count
                + batch.spans.count * Self.expectedAddition)
        write(batch)
        defer { writer.reset(keeping: Self.retained) }
        return writer.isOverfull ? nil : writer.take()
    }

    /// - Returns: the request; valid until the next call.
    mutating func bytes(of batch: borrowing Batch) -> UnsafeRawBufferPointer {
        writer.reset()
        write(batch)
        return writer.written
    }

    private mutating func write(_ batch: borrowing Batch) {
        for resource in batch.resources.reversed() { write(resource, batch) }
    }

    private mutating func write(_ resource: ResourceRecord, _ batch: borrowing Batch) {
        if resource.state.contains(.dropped) { return }
        let end = writer.count
        writer.bytes(batch.bytes(resource.containerExtra))
        if resource.schemaURL.count > 0 { writer.field(Tag.resourceSchemaURL, batch.bytes(resource.schemaURL)) }
        let afterScopes = writer.count
        for index in resource.scopes.reversed() {
            write(batch.scopes[index], batch)
        }
        // A resource whose spans were all dropped is not worth sending; one that came without spans is kept as it was.
        if writer.count == afterScopes, resource.scopeCount > 0 {
            writer.truncate(to: end)
            return
        }
        if resource.state.contains(.present) { writeBody(resource, batch) }
        writer.close(Tag.resourceSpans, writer.count - end)
    }

    private mutating func writeBody(_ resource: ResourceRecord, _ batch: borrowing Batch) {
        guard resource.state.contains(.dirty) else {
            writer.field(Tag.resource, batch.bytes(resource.wire))
            return
        }
        let end = writer.count
        writer.bytes(batch.bytes(resource.extra))
        if resource.droppedAttributes != 0 { writer.number(Tag.resourceDropped, UInt64(resource.droppedAttributes)) }
        write(resource.attributes, Tag.resourceAttributes, batch)
        writer.close(Tag.resource, writer.count - end)
    }

    private mutating func write(_ scope: ScopeRecord, _ batch: borrowing Batch) {
        if scope.state.contains(.dropped) { return }
        let end = writer.count
        writer.bytes(batch.bytes(scope.containerExtra))
        if scope.schemaURL.count > 0 { writer.field(Tag.scopeSchemaURL, batch.bytes(scope.schemaURL)) }
        let afterSpans = writer.count
        for index in scope.spans.reversed() {
            // A record buffer always has an address.
            write(batch.spans.baseAddress.unsafelyUnwrapped + index, batch)
        }
        if writer.count == afterSpans, scope.spanCount > 0 {
            writer.truncate(to: end)
            return
        }
        if scope.state.contains(.present) { writeBody(scope, batch) }
        writer.close(Tag.scopeSpans, writer.count - end)
    }

    private mutating func writeBody(_ scope: ScopeRecord, _ batch: borrowing Batch) {
        guard scope.state.contains(.dirty) else {
            writer.field(Tag.scope, batch.bytes(scope.wire))
            return
        }
        let end = writer.count
        writer.bytes(batch.bytes(scope.extra))
        if scope.droppedAttributes != 0 { writer.number(Tag.scopeDropped, UInt64(scope.droppedAttributes)) }
        write(scope.attributes, Tag.scopeAttributes, batch)
        if scope.version.count > 0 { writer.field(Tag.scopeVersion, batch.bytes(scope.version)) }
        if scope.name.count > 0 { writer.field(Tag.scopeName, batch.bytes(scope.name)) }
        writer.close(Tag.scope, writer.count - end)
    }

    @inline(__always)
    private mutating func write(_ span: UnsafePointer<SpanRecord>, _ batch: borrowing Batch) {
        let state = span.pointee.state
        if state.contains(.dropped) { return }
        if !state.contains(.dirty), !state.contains(.extended) {
            writer.field(Tag.spans, batch.bytes(span.pointee.wire))
            return
        }
        let end = writer.count
        if state.contains(.dirty) { writeBody(span, batch) } else { writeExtended(span, batch) }
        writer.close(Tag.spans, writer.count - end)
    }

    /// "Parsers … must be able to handle any field order", and an element of a repeated field may stand anywhere.
    private mutating func writeExtended(_ span: UnsafePointer<SpanRecord>, _ batch: borrowing Batch) {
        for index in span.pointee.attributes.indices.reversed() {
            let attribute = batch.attributes[index]
            // What was added stands behind what came.
            guard attribute.wireOffset == AttributeRecord.noWire else { break }
            writeBody(attribute, Tag.attributes, batch)
        }
        if span.pointee.traceState.isInSide, span.pointee.traceState.count > 0 {
            writer.field(Tag.traceState, batch.bytes(span.pointee.traceState))
        }
        writer.bytes(batch.bytes(span.pointee.wire))
    }

    private mutating func writeBody(_ span: UnsafePointer<SpanRecord>, _ batch: borrowing Batch) {
        if span.pointee.state.contains(.unknownFields) {
            let kindIsUnknown = span.pointee.kind == 0
            copyFields(of: batch.bytes(span.pointee.wire)) {
                !OTLPDecoder.isKnownSpanTag($0) || $0 == Tag.kind && kindIsUnknown
            }
        }
        if span.pointee.flags != 0 { writer.fixed32(Tag.flags, span.pointee.flags) }
        writeStatus(span, batch)
        if span.pointee.droppedLinks != 0 { writer.number(Tag.droppedLinks, UInt64(span.pointee.droppedLinks)) }
        for index in span.pointee.links.reversed() { write(batch.links[index], batch) }
        if span.pointee.droppedEvents != 0 { writer.number(Tag.droppedEvents, UInt64(span.pointee.droppedEvents)) }
        for index in span.pointee.events.reversed() { write(batch.events[index], batch) }
        if span.pointee.droppedAttributes != 0 {
            writer.number(Tag.droppedAttributes, UInt64(span.pointee.droppedAttributes))
        }
        write(span.pointee.attributes, Tag.attributes, batch)
        if span.pointee.endTime != 0 { writer.fixed64(Tag.endTime, span.pointee.endTime) }
        if span.pointee.startTime != 0 { writer.fixed64(Tag.startTime, span.pointee.startTime) }
        if span.pointee.kind != 0 { writer.number(Tag.kind, UInt64(span.pointee.kind)) }
        if span.pointee.name.count > 0 { writer.field(Tag.name, batch.bytes(span.pointee.name)) }
        if span.pointee.state.contains(.hasParent) { writer.identifier(Tag.parentSpanID, span.pointee.parentSpanID) }
        if span.pointee.traceState.count > 0 { writer.field(Tag.traceState, batch.bytes(span.pointee.traceState)) }
        writer.identifier(Tag.spanID, span.pointee.spanID)
        writer.identifier(Tag.traceID, high: span.pointee.traceIDHigh, low: span.pointee.traceIDLow)
    }

    private mutating func writeStatus(_ span: UnsafePointer<SpanRecord>, _ batch: borrowing Batch) {
        if span.pointee.state.contains(.unknownStatusFields) {
            copyFields(of: batch.bytes(span.pointee.wire)) { $0 == Tag.status }
            return
        }
        guard span.pointee.state.contains(.hasStatus) else { return }
        let end = writer.count
        if span.pointee.status != 0 { writer.number(Tag.statusCode, UInt64(span.pointee.status)) }
        if span.pointee.statusMessage.count > 0 {
            writer.field(Tag.statusMessage, batch.bytes(span.pointee.statusMessage))
        }
        writer.close(Tag.status, writer.count - end)
    }

    private mutating func write(_ event: EventRecord, _ batch: borrowing Batch) {
        guard event.state.contains(.dirty) else {
            writer.field(Tag.events, batch.bytes(event.wire))
            return
        }
        let end = writer.count
        if event.state.contains(.unknownFields) {
            copyFields(of: batch.bytes(event.wire)) { !OTLPDecoder.isKnownEventTag($0) }
        }
        if event.droppedAttributes != 0 { writer.number(Tag.eventDropped, UInt64(event.droppedAttributes)) }
        write(event.attributes, Tag.eventAttributes, batch)
        if event.name.count > 0 { writer.field(Tag.eventName, batch.bytes(event.name)) }
        if event.time != 0 { writer.fixed64(Tag.eventTime, event.time) }
        writer.close(Tag.events, writer.count - end)
    }

    private mutating func write(_ link: LinkRecord, _ batch: borrowing Batch) {
        guard link.state.contains(.dirty) else {
            writer.field(Tag.links, batch.bytes(link.wire))
            return
        }
        let end = writer.count
        if link.state.contains(.unknownFields) {
            copyFields(of: batch.bytes(link.wire)) { !OTLPDecoder.isKnownLinkTag($0) }
        }
        if link.flags != 0 { writer.fixed32(Tag.linkFlags, link.flags) }
        if link.droppedAttributes != 0 { writer.number(Tag.linkDropped, UInt64(link.droppedAttributes)) }
        write(link.attributes, Tag.linkAttributes, batch)
        if link.traceState.count > 0 { writer.field(Tag.linkTraceState, batch.bytes(link.traceState)) }
        if link.spanID != 0 { writer.identifier(Tag.linkSpanID, link.spanID) }
        if link.traceIDHigh | link.traceIDLow != 0 {
            writer.identifier(Tag.linkTraceID, high: link.traceIDHigh, low: link.traceIDLow)
        }
        writer.close(Tag.links, writer.count - end)
    }

    @inline(__always)
    private mutating func write(_ range: AttributeRange, _ tag: UInt64, _ batch: borrowing Batch) {
        for index in range.indices.reversed() {
            let attribute = batch.attributes[index]
            if attribute.isRemoved { continue }
            if attribute.wireOffset != AttributeRecord.noWire {
                // Length and bytes together: what stands at the offset is a length-delimited field without its tag.
                writer.bytes(batch.lengthDelimited(at: attribute.wireOffset))
                writer.varint(tag)
                continue
            }
            writeBody(attribute, tag, batch)
        }
    }

    private mutating func writeBody(_ attribute: AttributeRecord, _ tag: UInt64, _ batch: borrowing Batch) {
        let end = writer.count
        writer.value(attribute.kind, attribute.value, batch.bytes(attribute.valueRef))
        writer.close(Tag.keyValueValue, writer.count - end)
        if attribute.key.count > 0 { writer.field(Tag.keyValueKey, batch.bytes(attribute.key)) }
        writer.close(tag, writer.count - end)
    }

    /// Writes the fields that `isWanted` chooses by their tags, in the order they came in.
    private mutating func copyFields(of message: UnsafeRawBufferPointer, where isWanted: (UInt64) -> Bool) {
        var wanted: [UnsafeRawBufferPointer] = []
        var fields = FieldReader(message)
        while let field = fields.next() {
            guard isWanted(field.tag) else { continue }
            wanted.append(UnsafeRawBufferPointer(rebasing: message[field.start..<field.end]))
        }
        for field in wanted.reversed() { writer.bytes(field) }
    }
}

extension Batch {
    /// A length and the bytes it counts.
    @inline(__always)
    func lengthDelimited(at offset: UInt32) -> UnsafeRawBufferPointer {
        let ref = ByteRef(offset: offset, count: 0)
        // So have the payload and the side buffer, whatever the count.
        let start = bytes(ref).baseAddress.unsafelyUnwrapped
        let base = start.assumingMemoryBound(to: UInt8.self)
        let (length, next) = readVarint(base, 0, 10)
        return UnsafeRawBufferPointer(start: start, count: next + Int(truncatingIfNeeded: length))
    }
}
