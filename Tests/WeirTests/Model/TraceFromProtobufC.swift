import COTLP

/// A request as protobuf-c reads it: what a contributor trusts when the codecs disagree with it.
struct OracleRequest: Equatable {
    let trace: Trace
    /// The request as protobuf-c writes it.
    let packed: [UInt8]

    /// Nil when protobuf-c refuses the bytes.
    init?(_ bytes: [UInt8]) {
        guard
            let message = opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
                nil, bytes.count, bytes)
        else { return nil }
        defer { opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(message, nil) }
        let request = message.pointee
        trace = Trace(
            groups: list(request.n_resource_spans, request.resource_spans) { Trace.ResourceGroup($0) },
            unknown: unknownFields(request.base))
        let size = opentelemetry__proto__collector__trace__v1__export_trace_service_request__get_packed_size(message)
        packed = Array(unsafeUninitializedCapacity: size) { buffer, count in
            count = opentelemetry__proto__collector__trace__v1__export_trace_service_request__pack(
                message, buffer.baseAddress)
        }
    }

    static func accepts(span bytes: [UInt8]) -> Bool {
        guard let span = opentelemetry__proto__trace__v1__span__unpack(nil, bytes.count, bytes) else { return false }
        opentelemetry__proto__trace__v1__span__free_unpacked(span, nil)
        return true
    }
}

private func list<Message, Element>(
    _ count: Int, _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ read: (Message) -> Element
) -> [Element] {
    guard let messages else { return [] }
    return (0..<count).compactMap { messages[$0].map { read($0.pointee) } }
}

private func text(_ string: UnsafeMutablePointer<CChar>?) -> Trace.Text {
    var bytes: Trace.Text = []
    guard var next = string else { return bytes }
    while next.pointee != 0 {
        bytes.append(UInt8(bitPattern: next.pointee))
        next += 1
    }
    return bytes
}

private func texts(_ count: Int, _ strings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [Trace.Text] {
    guard let strings else { return [] }
    return (0..<count).map { text(strings[$0]) }
}

private func data(_ binary: ProtobufCBinaryData) -> [UInt8] {
    Array(UnsafeBufferPointer(start: binary.data, count: binary.len))
}

private func unknownFields(_ base: ProtobufCMessage) -> [Trace.UnknownField] {
    UnsafeBufferPointer(start: base.unknown_fields, count: Int(base.n_unknown_fields)).map {
        Trace.UnknownField(
            number: $0.tag, wireType: UInt8($0.wire_type.rawValue),
            bytes: Array(UnsafeBufferPointer(start: $0.data, count: $0.len)))
    }
}

extension Trace.ResourceGroup {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__ResourceSpans) {
        self.init(
            resource: message.resource.map { Trace.Resource($0.pointee) },
            scopes: list(message.n_scope_spans, message.scope_spans) { Trace.ScopeGroup($0) },
            schemaURL: text(message.schema_url), unknown: unknownFields(message.base))
    }
}

extension Trace.Resource {
    fileprivate init(_ message: Opentelemetry__Proto__Resource__V1__Resource) {
        self.init(
            attributes: list(message.n_attributes, message.attributes) { Trace.Attribute($0) },
            dropped: message.dropped_attributes_count,
            entities: list(message.n_entity_refs, message.entity_refs) { Trace.Entity($0) },
            unknown: unknownFields(message.base))
    }
}

extension Trace.Entity {
    fileprivate init(_ message: Opentelemetry__Proto__Common__V1__EntityRef) {
        self.init(
            schemaURL: text(message.schema_url), type: text(message.type),
            idKeys: texts(message.n_id_keys, message.id_keys),
            descriptionKeys: texts(message.n_description_keys, message.description_keys),
            unknown: unknownFields(message.base))
    }
}

extension Trace.ScopeGroup {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__ScopeSpans) {
        self.init(
            scope: message.scope.map { Trace.Scope($0.pointee) },
            spans: list(message.n_spans, message.spans) { Trace.Span($0) }, schemaURL: text(message.schema_url),
            unknown: unknownFields(message.base))
    }
}

extension Trace.Scope {
    fileprivate init(_ message: Opentelemetry__Proto__Common__V1__InstrumentationScope) {
        self.init(
            name: text(message.name), version: text(message.version),
            attributes: list(message.n_attributes, message.attributes) { Trace.Attribute($0) },
            dropped: message.dropped_attributes_count, unknown: unknownFields(message.base))
    }
}

extension Trace.Span {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__Span) {
        self.init(
            traceID: data(message.trace_id), spanID: data(message.span_id), traceState: text(message.trace_state),
            parentSpanID: data(message.parent_span_id), flags: message.flags, name: text(message.name),
            kind: Int32(truncatingIfNeeded: message.kind.rawValue), start: message.start_time_unix_nano,
            end: message.end_time_unix_nano,
            attributes: list(message.n_attributes, message.attributes) { Trace.Attribute($0) },
            droppedAttributes: message.dropped_attributes_count,
            events: list(message.n_events, message.events) { Trace.Event($0) },
            droppedEvents: message.dropped_events_count,
            links: list(message.n_links, message.links) { Trace.Link($0) },
            droppedLinks: message.dropped_links_count, status: message.status.map { Trace.Status($0.pointee) },
            unknown: unknownFields(message.base))
    }
}

extension Trace.Event {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__Span__Event) {
        self.init(
            time: message.time_unix_nano, name: text(message.name),
            attributes: list(message.n_attributes, message.attributes) { Trace.Attribute($0) },
            dropped: message.dropped_attributes_count, unknown: unknownFields(message.base))
    }
}

extension Trace.Link {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__Span__Link) {
        self.init(
            traceID: data(message.trace_id), spanID: data(message.span_id), traceState: text(message.trace_state),
            attributes: list(message.n_attributes, message.attributes) { Trace.Attribute($0) },
            dropped: message.dropped_attributes_count, flags: message.flags, unknown: unknownFields(message.base))
    }
}

extension Trace.Status {
    fileprivate init(_ message: Opentelemetry__Proto__Trace__V1__Status) {
        self.init(
            message: text(message.message), code: Int32(truncatingIfNeeded: message.code.rawValue),
            unknown: unknownFields(message.base))
    }
}

extension Trace.Attribute {
    fileprivate init(_ message: Opentelemetry__Proto__Common__V1__KeyValue) {
        self.init(
            key: text(message.key), value: message.value.map { Trace.Value($0.pointee) },
            keyIndex: message.key_strindex, unknown: unknownFields(message.base))
    }
}

extension Trace.Value {
    fileprivate init(_ message: Opentelemetry__Proto__Common__V1__AnyValue) {
        unknown = unknownFields(message.base)
        switch message.value_case.rawValue {
        case 1: member = .string(text(message.string_value))
        case 2: member = .bool(message.bool_value != 0)
        case 3: member = .int(message.int_value)
        case 4: member = .double(message.double_value.bitPattern)
        case 5:
            guard let array = message.array_value?.pointee else { return }
            member = .array(
                list(array.n_values, array.values) { Trace.Value($0) }, unknown: unknownFields(array.base))
        case 6:
            guard let pairs = message.kvlist_value?.pointee else { return }
            member = .kvlist(
                list(pairs.n_values, pairs.values) { Trace.Attribute($0) }, unknown: unknownFields(pairs.base))
        case 7: member = .bytes(data(message.bytes_value))
        case 8: member = .index(message.string_value_strindex)
        default: member = .empty
        }
    }
}
