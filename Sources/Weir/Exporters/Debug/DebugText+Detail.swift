/// All that a batch holds, a line for each thing, indented under what it belongs to.
extension DebugText {
    mutating func appendHeader(of record: JournalRecord) {
        append("record \(record.sequence): tenant=")
        append(quoting: record.tenant)
        append(" received=\(record.receivedAt.text) spans=\(record.spanCount) bytes=\(record.payload.count)\n")
    }

    mutating func append(_ resource: ResourceRecord, index: Int, in batch: borrowing Batch) {
        append("  resource \(index):")
        appendText(resource.schemaURL, "schema_url", in: batch)
        appendDropped(resource.droppedAttributes, "attributes")
        append("\n")
        append(resource.attributes, indent: "    ", in: batch)
        var fields = FieldReader(batch.bytes(resource.extra))
        while let field = fields.next() {
            if field.tag == Tag.resourceEntityRefs { appendEntity(field.body) }
        }
    }

    mutating func append(_ scope: ScopeRecord, index: Int, in batch: borrowing Batch) {
        append("    scope \(index):")
        appendText(scope.name, "name", in: batch)
        appendText(scope.version, "version", in: batch)
        appendText(scope.schemaURL, "schema_url", in: batch)
        appendDropped(scope.droppedAttributes, "attributes")
        append("\n")
        append(scope.attributes, indent: "      ", in: batch)
    }

    mutating func append(_ span: SpanRecord, in batch: borrowing Batch) {
        append("      span ")
        appendQuoted(batch.bytes(span.name))
        append("\n        trace_id=\(span.traceIDHigh.hexadecimal)\(span.traceIDLow.hexadecimal)")
        append(" span_id=\(span.spanID.hexadecimal)")
        if span.state.contains(.hasParent) { append(" parent_span_id=\(span.parentSpanID.hexadecimal)") }
        append("\n        kind=\(span.kindName) flags=0x\(span.flags.digits(8, radix: 16))")
        appendText(span.traceState, "trace_state", in: batch)
        append("\n        start=\(Timestamp(nanoseconds: span.startTime).text)")
        append(" end=\(Timestamp(nanoseconds: span.endTime).text) duration=\(span.durationText)")
        append("\n        status=\(span.statusName)")
        appendText(span.statusMessage, "message", in: batch)
        appendDropped(span.droppedAttributes, "attributes")
        appendDropped(span.droppedEvents, "events")
        appendDropped(span.droppedLinks, "links")
        append("\n")
        append(span.attributes, indent: "        ", in: batch)
        for index in span.events.prefix(limits.items) { append(batch.events[index], in: batch) }
        appendMore(span.events.count, "events")
        for index in span.links.prefix(limits.items) { append(batch.links[index], in: batch) }
        appendMore(span.links.count, "links")
    }
}

extension DebugText {
    private mutating func append(_ event: EventRecord, in batch: borrowing Batch) {
        append("        event ")
        appendQuoted(batch.bytes(event.name))
        append(" time=\(Timestamp(nanoseconds: event.time).text)")
        appendDropped(event.droppedAttributes, "attributes")
        append("\n")
        append(event.attributes, indent: "          ", in: batch)
    }

    private mutating func append(_ link: LinkRecord, in batch: borrowing Batch) {
        append("        link trace_id=\(link.traceIDHigh.hexadecimal)\(link.traceIDLow.hexadecimal)")
        append(" span_id=\(link.spanID.hexadecimal) flags=0x\(link.flags.digits(8, radix: 16))")
        appendText(link.traceState, "trace_state", in: batch)
        appendDropped(link.droppedAttributes, "attributes")
        append("\n")
        append(link.attributes, indent: "          ", in: batch)
    }

    private mutating func append(_ attributes: AttributeRange, indent: String, in batch: borrowing Batch) {
        appendAttributes(attributes, in: batch) { text, attribute, batch in
            text.append(indent)
            text.appendKey(batch.bytes(attribute.key))
            text.append(" = ")
            text.appendValue(batch.value(of: attribute))
            text.append("\n")
        } more: { text, count in
            text.append("\(indent)…(\(count) attributes more)\n")
        }
    }

    /// common.proto, message EntityRef. Nobody has checked what it holds.
    private mutating func appendEntity(_ message: UnsafeRawBufferPointer) {
        append("    entity:")
        var fields = FieldReader(message)
        while let field = fields.next() {
            switch field.tag {
            case Tag.entitySchemaURL: append(" schema_url=")
            case Tag.entityType: append(" type=")
            case Tag.entityIDKeys: append(" id_key=")
            case Tag.entityDescriptionKeys: append(" description_key=")
            default: continue
            }
            appendQuoted(field.body)
        }
        append("\n")
    }

    private mutating func append(quoting text: String) {
        var text = text
        text.withUTF8 { appendQuoted(UnsafeRawBufferPointer($0)) }
    }

    /// ` name="text"`, or nothing where there is no text.
    private mutating func appendText(_ ref: ByteRef, _ name: String, in batch: borrowing Batch) {
        guard ref.count > 0 else { return }
        append(" \(name)=")
        appendQuoted(batch.bytes(ref))
    }

    private mutating func appendDropped(_ count: UInt32, _ what: String) {
        if count > 0 { append(" dropped_\(what)=\(count)") }
    }

    private mutating func appendMore(_ count: Int, _ what: String) {
        if count > limits.items { append("        …(\(count - limits.items) \(what) more)\n") }
    }
}
