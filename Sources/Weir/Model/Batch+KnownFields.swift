// For whoever must vouch for every byte that goes on: what a record does not hold goes.
extension Batch {
    /// Sees to it that of resources, scopes, spans, events, links and attributes nothing is written but what their
    /// records hold: no unknown field, and no earlier value of a field that stands there twice. What nested values hold
    /// beside what is known is not looked at.
    ///
    /// Most messages are as long as what their records would be written as. Those stay clean.
    /// - Returns: how many messages had unknown fields.
    mutating func keepKnownFields() -> Int {
        var unknown = 0
        for index in resources.indices {
            unknown += keepKnownFields(ofResource: index)
        }
        for index in scopes.indices {
            let scope = arena.pointee.scopes[index]
            if scope.extra.count > 0 || scope.containerExtra.count > 0 {
                unknown += 1
                arena.pointee.scopes[index].extra = .empty
                arena.pointee.scopes[index].containerExtra = .empty
                markDirty(.scope(index))
            }
            let size =
                sized(scope.attributes, of: .scope(index)) + field(scope.name) + field(scope.version)
                + number(scope.droppedAttributes)
            if scope.state.contains(.present), size != Int(scope.wire.count) { markDirty(.scope(index)) }
        }
        for index in spans.indices where !arena.pointee.spans[index].isDropped {
            unknown += keepKnownFields(ofSpan: index)
        }
        // The frame of a request may hold what no record tells of: a schema URL that stands there twice.
        arena.pointee.isVerbatim = false
        return unknown
    }

    /// Drops the references to entities of a resource.
    mutating func dropExtra(ofResource index: Int) {
        arena.pointee.resources[index].extra = .empty
        markDirty(.resource(index))
    }

    private mutating func keepKnownFields(ofResource index: Int) -> Int {
        let resource = arena.pointee.resources[index]
        var kept = resource.extra
        if resource.extra.count > 0 {
            var known: [UInt8] = []
            let extra = bytes(resource.extra)
            var fields = FieldReader(extra)
            while let field = fields.next() {
                if field.tag == Tag.resourceEntityRefs { known += extra[field.start..<field.end] }
            }
            if known.count != extra.count { kept = known.withUnsafeBytes { intern($0) } }
        }
        let hasUnknown = kept != resource.extra || resource.containerExtra.count > 0
        if hasUnknown {
            arena.pointee.resources[index].extra = kept
            arena.pointee.resources[index].containerExtra = .empty
            markDirty(.resource(index))
        }
        let size =
            sized(resource.attributes, of: .resource(index)) + number(resource.droppedAttributes) + Int(kept.count)
        if resource.state.contains(.present), size != Int(resource.wire.count) { markDirty(.resource(index)) }
        return hasUnknown ? 1 : 0
    }

    private mutating func keepKnownFields(ofSpan index: Int) -> Int {
        let span = arena.pointee.spans[index]
        var unknown = 0
        if !span.state.isDisjoint(with: [.unknownFields, .unknownStatusFields]) {
            unknown += 1
            arena.pointee.spans[index].state.subtract([.unknownFields, .unknownStatusFields])
            markDirty(.span(index))
        }
        var size = sized(span.attributes, of: .span(index)) + 18 + 10 + field(span.name) + field(span.traceState)
        size += span.state.contains(.hasParent) ? 10 : 0
        size += (span.kind == 0 ? 0 : 2) + (span.kind > 127 ? 1 : 0)
        size += (span.startTime == 0 ? 0 : 9) + (span.endTime == 0 ? 0 : 9) + (span.flags == 0 ? 0 : 6)
        size += number(span.droppedAttributes) + number(span.droppedEvents) + number(span.droppedLinks)
        if span.state.contains(.hasStatus) {
            let inner = field(span.statusMessage) + (span.status == 0 ? 0 : 2) + (span.status > 127 ? 1 : 0)
            size += 1 + lengthSize(inner) + inner
        }
        for event in span.events { size += keepKnownFields(ofEvent: event, span: index, &unknown) }
        for link in span.links { size += keepKnownFields(ofLink: link, span: index, &unknown) }
        if size != Int(span.wire.count) { markDirty(.span(index)) }
        return unknown
    }

    /// - Returns: the size of the event in its span.
    private mutating func keepKnownFields(ofEvent index: Int, span: Int, _ unknown: inout Int) -> Int {
        let event = arena.pointee.events[index]
        let owner = AttributeOwner.event(index, span: span)
        if event.state.contains(.unknownFields) {
            unknown += 1
            arena.pointee.events[index].state.remove(.unknownFields)
            markDirty(owner)
        }
        let size =
            sized(event.attributes, of: owner) + field(event.name) + (event.time == 0 ? 0 : 9)
            + number(event.droppedAttributes)
        if size != Int(event.wire.count) { markDirty(owner) }
        return 1 + lengthSize(size) + size
    }

    private mutating func keepKnownFields(ofLink index: Int, span: Int, _ unknown: inout Int) -> Int {
        let link = arena.pointee.links[index]
        let owner = AttributeOwner.link(index, span: span)
        if link.state.contains(.unknownFields) {
            unknown += 1
            arena.pointee.links[index].state.remove(.unknownFields)
            markDirty(owner)
        }
        var size = sized(link.attributes, of: owner) + field(link.traceState) + number(link.droppedAttributes)
        size += (link.flags == 0 ? 0 : 5) + (link.spanID == 0 ? 0 : 10)
        size += link.traceIDHigh | link.traceIDLow == 0 ? 0 : 18
        if size != Int(link.wire.count) { markDirty(owner) }
        return 1 + lengthSize(size) + size
    }

    /// The size of the attributes with their tags. One that is longer than what its record says is written from that.
    private mutating func sized(_ range: AttributeRange, of owner: AttributeOwner) -> Int {
        var size = 0
        for index in range.indices {
            let attribute = arena.pointee.attributes[index]
            if attribute.isRemoved { continue }
            let value: Int
            switch attribute.kind {
            case .empty: value = 0
            case .bool: value = 2
            case .double: value = 9
            case .int: value = 1 + lengthSize(Int(truncatingIfNeeded: attribute.value))
            case .string, .bytes, .array, .kvlist:
                let count = Int(attribute.valueRef.count)
                value = 1 + lengthSize(count) + count
            }
            let body = field(attribute.key) + 1 + lengthSize(value) + value
            if attribute.wireOffset != AttributeRecord.noWire,
                lengthDelimited(at: attribute.wireOffset).count != lengthSize(body) + body
            {
                arena.pointee.attributes[index].wireOffset = AttributeRecord.noWire
                markDirty(owner)
            }
            size += 1 + lengthSize(body) + body
        }
        return size
    }

    /// The bytes of a varint.
    private func lengthSize(_ value: Int) -> Int {
        (70 - (UInt64(bitPattern: Int64(value)) | 1).leadingZeroBitCount) / 7
    }

    private func field(_ text: ByteRef) -> Int {
        text.count == 0 ? 0 : 1 + lengthSize(Int(text.count)) + Int(text.count)
    }

    private func number(_ value: UInt32) -> Int {
        value == 0 ? 0 : 1 + lengthSize(Int(value))
    }
}
