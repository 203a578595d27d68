@testable import Weir

// What the records of a batch say.

extension Trace {
    init(_ batch: borrowing Batch) {
        for resource in batch.resources where !resource.state.contains(.dropped) {
            var group = ResourceGroup(schemaURL: Array(batch.bytes(resource.schemaURL)))
            if resource.state.contains(.present) {
                group.resource = Resource(
                    attributes: Trace.attributes(resource.attributes, batch), dropped: resource.droppedAttributes,
                    entities: Trace.entities(batch.bytes(resource.extra)))
            }
            for index in resource.scopes where !batch.scopes[index].state.contains(.dropped) {
                group.scopes.append(Trace.scopeGroup(batch.scopes[index], batch))
            }
            groups.append(group)
        }
    }

    private static func scopeGroup(_ record: ScopeRecord, _ batch: borrowing Batch) -> ScopeGroup {
        var group = ScopeGroup(schemaURL: Array(batch.bytes(record.schemaURL)))
        if record.state.contains(.present) {
            group.scope = Scope(
                name: Array(batch.bytes(record.name)), version: Array(batch.bytes(record.version)),
                attributes: attributes(record.attributes, batch), dropped: record.droppedAttributes)
        }
        for index in record.spans where !batch.spans[index].isDropped {
            group.spans.append(span(batch.spans[index], batch))
        }
        return group
    }

    private static func span(_ record: SpanRecord, _ batch: borrowing Batch) -> Span {
        var span = Span(
            traceID: bigEndian(record.traceIDHigh) + bigEndian(record.traceIDLow), spanID: bigEndian(record.spanID),
            traceState: Array(batch.bytes(record.traceState)),
            parentSpanID: record.state.contains(.hasParent) ? bigEndian(record.parentSpanID) : [],
            flags: record.flags, name: Array(batch.bytes(record.name)), kind: Int32(record.kind),
            start: record.startTime, end: record.endTime, attributes: attributes(record.attributes, batch),
            droppedAttributes: record.droppedAttributes, droppedEvents: record.droppedEvents,
            droppedLinks: record.droppedLinks)
        for index in record.events { span.events.append(event(batch.events[index], batch)) }
        for index in record.links { span.links.append(link(batch.links[index], batch)) }
        if record.state.contains(.hasStatus) {
            span.status = Status(message: Array(batch.bytes(record.statusMessage)), code: Int32(record.status))
        }
        return span
    }

    private static func event(_ record: EventRecord, _ batch: borrowing Batch) -> Event {
        Event(
            time: record.time, name: Array(batch.bytes(record.name)),
            attributes: attributes(record.attributes, batch), dropped: record.droppedAttributes)
    }

    private static func link(_ record: LinkRecord, _ batch: borrowing Batch) -> Link {
        let hasTrace = record.traceIDHigh | record.traceIDLow != 0
        return Link(
            traceID: hasTrace ? bigEndian(record.traceIDHigh) + bigEndian(record.traceIDLow) : [],
            spanID: record.spanID == 0 ? [] : bigEndian(record.spanID),
            traceState: Array(batch.bytes(record.traceState)), attributes: attributes(record.attributes, batch),
            dropped: record.droppedAttributes, flags: record.flags)
    }

    private static func attributes(_ range: AttributeRange, _ batch: borrowing Batch) -> [Attribute] {
        var result: [Attribute] = []
        for index in range.indices where !batch.attributes[index].isRemoved {
            let record = batch.attributes[index]
            result.append(Attribute(key: Array(batch.bytes(record.key)), value: Value(batch.value(of: record))))
        }
        return result
    }

    /// Entity references have no record: they stand among the fields that a resource keeps as bytes.
    private static func entities(_ extra: UnsafeRawBufferPointer) -> [Entity] {
        var result: [Entity] = []
        var fields = FieldReader(extra)
        while let field = fields.next() {
            guard field.tag == Tag.resourceEntityRefs else { continue }
            var entity = Entity()
            var parts = FieldReader(field.body)
            while let part = parts.next() {
                switch part.tag {
                case Tag.entitySchemaURL: entity.schemaURL = Array(part.body)
                case Tag.entityType: entity.type = Array(part.body)
                case Tag.entityIDKeys: entity.idKeys.append(Array(part.body))
                case Tag.entityDescriptionKeys: entity.descriptionKeys.append(Array(part.body))
                default: continue
                }
            }
            result.append(entity)
        }
        return result
    }

    private static func bigEndian(_ value: UInt64) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

extension Trace.Value {
    init(_ value: AnyValue) {
        switch value {
        case .empty: member = .empty
        case .string(let bytes): member = .string(Array(bytes))
        case .bool(let flag): member = .bool(flag)
        case .int(let number): member = .int(number)
        case .double(let number): member = .double(number.bitPattern)
        case .bytes(let bytes): member = .bytes(Array(bytes))
        case .array(let values): member = .array(values.map { Trace.Value($0) }, unknown: [])
        case .kvlist(let pairs):
            member = .kvlist(
                pairs.map { Trace.Attribute(key: Array($0.key), value: Trace.Value($0.value)) }, unknown: [])
        }
    }
}
