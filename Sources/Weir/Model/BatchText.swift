/// A text of a batch that is no attribute.
enum BatchText {
    case spanName(Int)
    case traceState(Int)
    case statusMessage(Int)
    case eventName(Int, span: Int)
    case linkTraceState(Int, span: Int)
    case scopeName(Int)
    case scopeVersion(Int)
    case scopeSchemaURL(Int)
    case resourceSchemaURL(Int)
}

extension Batch {
    func ref(of text: BatchText) -> ByteRef {
        switch text {
        case .spanName(let index): arena.pointee.spans[index].name
        case .traceState(let index): arena.pointee.spans[index].traceState
        case .statusMessage(let index): arena.pointee.spans[index].statusMessage
        case .eventName(let index, _): arena.pointee.events[index].name
        case .linkTraceState(let index, _): arena.pointee.links[index].traceState
        case .scopeName(let index): arena.pointee.scopes[index].name
        case .scopeVersion(let index): arena.pointee.scopes[index].version
        case .scopeSchemaURL(let index): arena.pointee.scopes[index].schemaURL
        case .resourceSchemaURL(let index): arena.pointee.resources[index].schemaURL
        }
    }

    mutating func set(_ text: BatchText, to ref: ByteRef) {
        switch text {
        case .spanName(let index): setName(ofSpan: index, to: ref)
        case .traceState(let index):
            // Its bytes have none if there is none, or one that was added.
            let before = arena.pointee.spans[index].traceState
            arena.pointee.spans[index].traceState = ref
            before.count == 0 || before.isInSide ? markExtended(.span(index)) : markDirty(.span(index))
        case .statusMessage(let index):
            arena.pointee.spans[index].statusMessage = ref
            // Their bytes have the message that was there before.
            arena.pointee.spans[index].state.remove(.unknownStatusFields)
            markDirty(.span(index))
        case .eventName(let index, let span):
            arena.pointee.events[index].name = ref
            markDirty(.event(index, span: span))
        case .linkTraceState(let index, let span):
            arena.pointee.links[index].traceState = ref
            markDirty(.link(index, span: span))
        case .scopeName(let index):
            arena.pointee.scopes[index].name = ref
            markDirty(.scope(index))
        case .scopeVersion(let index):
            arena.pointee.scopes[index].version = ref
            markDirty(.scope(index))
        // These stand beside what has a dirty bit, and are always written from the record.
        case .scopeSchemaURL(let index):
            arena.pointee.scopes[index].schemaURL = ref
            arena.pointee.isVerbatim = false
        case .resourceSchemaURL(let index):
            arena.pointee.resources[index].schemaURL = ref
            arena.pointee.isVerbatim = false
        }
    }

    /// Gives the attribute with this index, one of the owner's, another key.
    mutating func setKey(attributeAt index: Int, to key: ByteRef, of owner: AttributeOwner) {
        arena.pointee.attributes[index].key = key
        arena.pointee.attributes[index].wireOffset = AttributeRecord.noWire
        markDirty(owner)
    }
}
