/// Writes a batch, or several, as one ExportTraceServiceRequest in OTLP/JSON: lowerCamelCase names, hexadecimal ids,
/// enums as integers, 64-bit numbers as strings. Fields that Weir does not know have no name in JSON and are left out.
struct OTLPJSONEncoder: ~Copyable {
    private var writer: JSONWriter

    /// Bytes that are kept from one batch to the next.
    private static let retained = 4 << 20

    init(capacity: Int = 64 << 10) {
        writer = JSONWriter(capacity: capacity)
    }

    /// - Returns: `{"resourceSpans":[…]}` without a line break; valid until the next call.
    mutating func bytes(of batch: borrowing Batch) -> UnsafeRawBufferPointer {
        begin()
        add(batch)
        return finish()
    }

    /// Begins a request to which several batches are added.
    mutating func begin() {
        writer.reset(keeping: Self.retained)
        writer.raw("{\"resourceSpans\":[")
    }

    mutating func add(_ batch: borrowing Batch) {
        for resource in batch.resources where hasSpans(resource, batch) { write(resource, batch) }
    }

    /// - Returns: as ``bytes(of:)``.
    mutating func finish() -> UnsafeRawBufferPointer {
        end("]}")
        return writer.written
    }

    // Every member ends with a comma; the end of an object or array takes the last one back.

    private func hasSpans(_ resource: ResourceRecord, _ batch: borrowing Batch) -> Bool {
        if resource.state.contains(.dropped) { return false }
        return resource.scopeCount == 0 || resource.scopes.contains { hasSpans(batch.scopes[$0], batch) }
    }

    private func hasSpans(_ scope: ScopeRecord, _ batch: borrowing Batch) -> Bool {
        if scope.state.contains(.dropped) { return false }
        return scope.spanCount == 0 || scope.spans.contains { !batch.spans[$0].isDropped }
    }

    private mutating func write(_ resource: ResourceRecord, _ batch: borrowing Batch) {
        writer.raw("{")
        if resource.state.contains(.present) {
            writer.raw("\"resource\":{")
            write(resource.attributes, batch)
            dropped(resource.droppedAttributes)
            writeEntityRefs(batch.bytes(resource.extra))
            end("},")
        }
        if resource.scopeCount > 0 {
            writer.raw("\"scopeSpans\":[")
            for index in resource.scopes where hasSpans(batch.scopes[index], batch) {
                write(batch.scopes[index], batch)
            }
            end("],")
        }
        text("\"schemaUrl\":", resource.schemaURL, batch)
        end("},")
    }

    private mutating func write(_ scope: ScopeRecord, _ batch: borrowing Batch) {
        writer.raw("{")
        if scope.state.contains(.present) {
            writer.raw("\"scope\":{")
            text("\"name\":", scope.name, batch)
            text("\"version\":", scope.version, batch)
            write(scope.attributes, batch)
            dropped(scope.droppedAttributes)
            end("},")
        }
        if scope.spanCount > 0 {
            writer.raw("\"spans\":[")
            for index in scope.spans where !batch.spans[index].isDropped { write(batch.spans[index], batch) }
            end("],")
        }
        text("\"schemaUrl\":", scope.schemaURL, batch)
        end("},")
    }

    private mutating func write(_ span: SpanRecord, _ batch: borrowing Batch) {
        writer.raw("{")
        identifier("\"traceId\":\"", span.traceIDHigh, span.traceIDLow)
        identifier("\"spanId\":\"", span.spanID)
        text("\"traceState\":", span.traceState, batch)
        if span.state.contains(.hasParent) { identifier("\"parentSpanId\":\"", span.parentSpanID) }
        number("\"flags\":", span.flags)
        text("\"name\":", span.name, batch)
        number("\"kind\":", UInt32(span.kind))
        time("\"startTimeUnixNano\":", span.startTime)
        time("\"endTimeUnixNano\":", span.endTime)
        write(span.attributes, batch)
        dropped(span.droppedAttributes)
        if span.eventCount > 0 {
            writer.raw("\"events\":[")
            for index in span.events { write(batch.events[index], batch) }
            end("],")
        }
        number("\"droppedEventsCount\":", span.droppedEvents)
        if span.linkCount > 0 {
            writer.raw("\"links\":[")
            for index in span.links { write(batch.links[index], batch) }
            end("],")
        }
        number("\"droppedLinksCount\":", span.droppedLinks)
        if span.state.contains(.hasStatus) {
            writer.raw("\"status\":{")
            text("\"message\":", span.statusMessage, batch)
            number("\"code\":", UInt32(span.status))
            end("},")
        }
        end("},")
    }

    private mutating func write(_ event: EventRecord, _ batch: borrowing Batch) {
        writer.raw("{")
        time("\"timeUnixNano\":", event.time)
        text("\"name\":", event.name, batch)
        write(event.attributes, batch)
        dropped(event.droppedAttributes)
        end("},")
    }

    private mutating func write(_ link: LinkRecord, _ batch: borrowing Batch) {
        writer.raw("{")
        if link.traceIDHigh | link.traceIDLow != 0 { identifier("\"traceId\":\"", link.traceIDHigh, link.traceIDLow) }
        if link.spanID != 0 { identifier("\"spanId\":\"", link.spanID) }
        text("\"traceState\":", link.traceState, batch)
        write(link.attributes, batch)
        dropped(link.droppedAttributes)
        number("\"flags\":", link.flags)
        end("},")
    }

    private mutating func write(_ range: AttributeRange, _ batch: borrowing Batch) {
        guard range.count > 0 else { return }
        writer.raw("\"attributes\":[")
        for index in range.indices {
            let attribute = batch.attributes[index]
            if attribute.isRemoved { continue }
            writer.raw("{\"key\":")
            writer.string(batch.bytes(attribute.key))
            writer.raw(",\"value\":")
            write(batch.value(of: attribute))
            writer.raw("},")
        }
        end("],")
    }

    private mutating func write(_ value: AnyValue) {
        switch value {
        case .empty: writer.raw("{}")
        case .string(let bytes):
            writer.raw("{\"stringValue\":")
            writer.string(bytes)
            writer.raw("}")
        case .bool(let flag): flag ? writer.raw("{\"boolValue\":true}") : writer.raw("{\"boolValue\":false}")
        case .int(let number):
            writer.raw("{\"intValue\":")
            writer.quoted(number)
            writer.raw("}")
        case .double(let number):
            writer.raw("{\"doubleValue\":")
            writer.double(number)
            writer.raw("}")
        case .bytes(let bytes):
            writer.raw("{\"bytesValue\":")
            writer.base64(bytes)
            writer.raw("}")
        case .array(let values):
            writer.raw("{\"arrayValue\":{\"values\":[")
            for element in values {
                write(element)
                writer.raw(",")
            }
            end("]}}")
        case .kvlist(let pairs):
            writer.raw("{\"kvlistValue\":{\"values\":[")
            for pair in pairs {
                writer.raw("{\"key\":")
                writer.string(pair.key)
                writer.raw(",\"value\":")
                write(pair.value)
                writer.raw("},")
            }
            end("]}}")
        }
    }

    /// `entity_refs` stand, encoded, among the fields of a resource that its record does not hold.
    private mutating func writeEntityRefs(_ extra: UnsafeRawBufferPointer) {
        var fields = FieldReader(extra)
        var isEmpty = true
        while let field = fields.next() {
            guard field.tag == Tag.resourceEntityRefs else { continue }
            if isEmpty { writer.raw("\"entityRefs\":[") }
            isEmpty = false
            writer.raw("{")
            entityText("\"schemaUrl\":", Tag.entitySchemaURL, field.body)
            entityText("\"type\":", Tag.entityType, field.body)
            entityList("\"idKeys\":[", Tag.entityIDKeys, field.body)
            entityList("\"descriptionKeys\":[", Tag.entityDescriptionKeys, field.body)
            end("},")
        }
        if !isEmpty { end("],") }
    }

    private mutating func entityText(_ name: StaticString, _ tag: UInt64, _ message: UnsafeRawBufferPointer) {
        var fields = FieldReader(message)
        var last: UnsafeRawBufferPointer?
        while let field = fields.next() { if field.tag == tag { last = field.body } }
        guard let last, last.count > 0 else { return }
        writer.raw(name)
        writer.string(last)
        writer.raw(",")
    }

    private mutating func entityList(_ name: StaticString, _ tag: UInt64, _ message: UnsafeRawBufferPointer) {
        var fields = FieldReader(message)
        var isEmpty = true
        while let field = fields.next() {
            guard field.tag == tag else { continue }
            if isEmpty { writer.raw(name) }
            isEmpty = false
            writer.string(field.body)
            writer.raw(",")
        }
        if !isEmpty { end("],") }
    }

    // MARK: Members, left out when they hold the default

    private mutating func text(_ name: StaticString, _ ref: ByteRef, _ batch: borrowing Batch) {
        guard ref.count > 0 else { return }
        writer.raw(name)
        writer.string(batch.bytes(ref))
        writer.raw(",")
    }

    private mutating func number(_ name: StaticString, _ value: UInt32) {
        guard value != 0 else { return }
        writer.raw(name)
        writer.number(UInt64(value))
        writer.raw(",")
    }

    private mutating func dropped(_ count: UInt32) {
        number("\"droppedAttributesCount\":", count)
    }

    private mutating func time(_ name: StaticString, _ value: UInt64) {
        guard value != 0 else { return }
        writer.raw(name)
        writer.quoted(value)
        writer.raw(",")
    }

    /// `name` ends with the quote that opens the value.
    private mutating func identifier(_ name: StaticString, _ high: UInt64, _ low: UInt64) {
        writer.raw(name)
        writer.hexadecimal(high)
        writer.hexadecimal(low)
        writer.raw("\",")
    }

    private mutating func identifier(_ name: StaticString, _ value: UInt64) {
        writer.raw(name)
        writer.hexadecimal(value)
        writer.raw("\",")
    }

    private mutating func end(_ text: StaticString) {
        writer.dropComma()
        writer.raw(text)
    }
}
