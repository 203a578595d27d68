/// Takes one span out of a record, with its resource and scope, as OTLP protobuf: TracesData.
struct SingleSpanEncoder: ~Copyable {
    private var writer = ReverseWriter(capacity: 4 << 10)

    /// - Parameters:
    ///   - place: which of the record's spans; see ``SpanRow/place``.
    ///   - batch: the record as it was decoded, unchanged.
    /// - Returns: nil if there is no such span. Valid until the next call.
    mutating func encode(_ place: Int32, of batch: borrowing Batch) -> UnsafeRawBufferPointer? {
        writer.reset()
        var rest = place
        for resource in batch.resources where !resource.state.contains(.dropped) {
            for scope in resource.scopes where !batch.scopes[scope].state.contains(.dropped) {
                for span in batch.scopes[scope].spans where !batch.spans[span].isDropped {
                    if rest == 0 {
                        write(batch.spans[span], batch.scopes[scope], resource, batch)
                        return writer.written
                    }
                    rest -= 1
                }
            }
        }
        return nil
    }

    private mutating func write(
        _ span: SpanRecord, _ scope: ScopeRecord, _ resource: ResourceRecord, _ batch: borrowing Batch
    ) {
        let end = writer.count
        if resource.schemaURL.count > 0 { writer.field(Tag.resourceSchemaURL, batch.bytes(resource.schemaURL)) }
        let scopeEnd = writer.count
        if scope.schemaURL.count > 0 { writer.field(Tag.scopeSchemaURL, batch.bytes(scope.schemaURL)) }
        writer.field(Tag.spans, batch.bytes(span.wire))
        writer.field(Tag.scope, batch.bytes(scope.wire))
        writer.close(Tag.scopeSpans, writer.count - scopeEnd)
        writer.field(Tag.resource, batch.bytes(resource.wire))
        writer.close(Tag.resourceSpans, writer.count - end)
    }
}
