/// Whose attributes are changed. Events and links name their span, because it is the span that is then written anew.
enum AttributeOwner {
    case resource(Int)
    case scope(Int)
    case span(Int)
    case event(Int, span: Int)
    case link(Int, span: Int)
}

/// A value inside a batch, as an attribute record holds it.
struct StoredValue: BitwiseCopyable {
    let kind: ValueKind
    let bits: UInt64
    /// A processor wants it encrypted, or something in what it is made of: see ``AttributeRecord/marks``.
    var mustEncrypt = false
}

extension Batch {
    /// Takes a span out of the batch.
    mutating func drop(span index: Int) {
        guard !arena.pointee.spans[index].isDropped else { return }
        arena.pointee.spans[index].state.insert(.dropped)
        arena.pointee.droppedSpans += 1
        arena.pointee.isVerbatim = false
    }

    /// Leaves just these spans in the batch, whatever was in it before: for an exporter that writes a batch in parts.
    mutating func select(_ isIncluded: (SpanRecord) -> Bool) {
        arena.pointee.droppedSpans = 0
        for index in spans.indices {
            arena.pointee.spans[index].state.remove(.dropped)
            guard !isIncluded(arena.pointee.spans[index]) else { continue }
            arena.pointee.spans[index].state.insert(.dropped)
            arena.pointee.droppedSpans += 1
        }
        arena.pointee.isVerbatim = false
    }

    @inline(__always)
    func attributes(of owner: AttributeOwner) -> AttributeRange {
        switch owner {
        case .resource(let index): arena.pointee.resources[index].attributes
        case .scope(let index): arena.pointee.scopes[index].attributes
        case .span(let index): arena.pointee.spans[index].attributes
        case .event(let index, _): arena.pointee.events[index].attributes
        case .link(let index, _): arena.pointee.links[index].attributes
        }
    }

    /// Gives the attribute this value. Further attributes with the same key go, so that none keeps the old value.
    mutating func set(_ key: AttributeKey, to value: StoredValue, of owner: AttributeOwner) {
        let range = attributes(of: owner)
        guard let index = firstIndex(of: key, in: range) else {
            add(intern(key), value, to: owner)
            return
        }
        set(attributeAt: index, to: value, of: owner)
        for other in index + 1..<max(index + 1, range.indices.upperBound) where has(key, at: other) {
            arena.pointee.attributes[other].isRemoved = true
        }
    }

    /// Gives the owner an attribute that it does not have.
    /// - Parameter key: a text of this batch, which many attributes may have.
    @inline(__always)
    mutating func add(_ key: ByteRef, _ value: StoredValue, to owner: AttributeOwner) {
        var attribute = AttributeRecord(
            key: key, value: value.bits, wireOffset: AttributeRecord.noWire, kind: value.kind)
        if value.mustEncrypt { attribute.encrypt(nil) }
        append(attribute, to: owner)
    }

    /// Gives the attribute with this index, one of the owner's, another value.
    mutating func set(attributeAt index: Int, to value: StoredValue, of owner: AttributeOwner) {
        arena.pointee.attributes[index].value = value.bits
        arena.pointee.attributes[index].kind = value.kind
        arena.pointee.attributes[index].wireOffset = AttributeRecord.noWire
        if value.mustEncrypt { arena.pointee.attributes[index].encrypt(nil) }
        markDirty(owner)
    }

    /// Removes every attribute with this key.
    /// - Returns: whether there was one.
    @discardableResult
    mutating func remove(_ key: AttributeKey, of owner: AttributeOwner) -> Bool {
        var found = false
        for index in attributes(of: owner).indices where has(key, at: index) {
            arena.pointee.attributes[index].isRemoved = true
            found = true
        }
        if found { markDirty(owner) }
        return found
    }

    /// Removes the attribute with this index, one of the owner's.
    mutating func remove(attributeAt index: Int, of owner: AttributeOwner) {
        arena.pointee.attributes[index].isRemoved = true
        markDirty(owner)
    }

    /// Wants what stands at these paths in the value of the attribute encrypted, by the processor that does that: each
    /// has the attribute's key and the names of members, with dots between. Where there are too many, the whole
    /// attribute is.
    mutating func encrypt(_ members: [[UInt8]], ofAttribute index: Int) {
        let before = arena.pointee.membersToEncrypt[arena.pointee.attributes[index].marks]
        arena.pointee.attributes[index].encrypt(arena.pointee.membersToEncrypt.add(before.union(members)))
    }

    mutating func setName(ofSpan index: Int, to name: ByteRef) {
        arena.pointee.spans[index].name = name
        markDirty(.span(index))
    }

    mutating func setStatus(ofSpan index: Int, code: UInt8, message: ByteRef) {
        arena.pointee.spans[index].status = code
        arena.pointee.spans[index].statusMessage = message
        arena.pointee.spans[index].state.insert(.hasStatus)
        arena.pointee.spans[index].state.remove(.unknownStatusFields)
        markDirty(.span(index))
    }

    /// Stores a value, once, so that many attributes can be given it.
    mutating func store(_ value: NewValue) -> StoredValue {
        switch value {
        case .string(let text): StoredValue(kind: .string, bits: intern(text).packed)
        case .bool(let flag): StoredValue(kind: .bool, bits: flag ? 1 : 0)
        case .int(let number): StoredValue(kind: .int, bits: UInt64(bitPattern: number))
        case .double(let number): StoredValue(kind: .double, bits: number.bitPattern)
        case .bytes(let bytes): StoredValue(kind: .bytes, bits: bytes.withUnsafeBytes { intern($0) }.packed)
        case .array(let values): StoredValue(kind: .array, bits: intern { $0.writeArray(values) }.packed)
        case .kvlist(let pairs): StoredValue(kind: .kvlist, bits: intern { $0.writeList(pairs) }.packed)
        }
    }

    /// The value of an attribute, for another one.
    func storedValue(at index: Int) -> StoredValue {
        let attribute = arena.pointee.attributes[index]
        return StoredValue(kind: attribute.kind, bits: attribute.value, mustEncrypt: attribute.marks != 0)
    }

    /// Puts bytes into the side buffer. `bytes` may point into this batch.
    mutating func intern(_ bytes: UnsafeRawBufferPointer) -> ByteRef {
        let offset = arena.pointee.side.count
        guard let source = bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count > 0 else { return .empty }
        arena.pointee.side.append(source, count: bytes.count)
        return arena.pointee.side.isOverfull ? .empty : ByteRef(offset, bytes.count, origin: ByteRef.side)
    }

    /// Puts what `fill` writes into the side buffer. `fill` must write `count` bytes.
    mutating func intern(count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) -> ByteRef {
        let offset = arena.pointee.side.count
        arena.pointee.side.reserve(offset + count)
        guard !arena.pointee.side.isOverfull else { return .empty }
        fill(arena.pointee.side.base + offset)
        arena.pointee.side.count += count
        return ByteRef(offset, count, origin: ByteRef.side)
    }

    /// Bytes of the request as it was received.
    var payloadSize: Int { arena.pointee.payload.count }

    /// Makes room for rewritten values of so many bytes in all.
    mutating func expectText(_ count: Int) {
        arena.pointee.side.expect(arena.pointee.side.count + count)
    }

    mutating func intern(_ text: String) -> ByteRef {
        var text = text
        return text.withUTF8 { intern(UnsafeRawBufferPointer($0)) }
    }

    mutating func intern(_ key: AttributeKey) -> ByteRef {
        key.bytes.withUnsafeBytes { intern($0) }
    }

    private mutating func intern(_ write: (inout ReverseWriter) -> Void) -> ByteRef {
        var writer = ReverseWriter(capacity: 256)
        write(&writer)
        return intern(writer.written)
    }

    private func has(_ key: AttributeKey, at index: Int) -> Bool {
        let attribute = arena.pointee.attributes[index]
        return !attribute.isRemoved && Int(attribute.key.count) == key.count && key.equals(bytes(attribute.key))
    }

    /// Adds an attribute behind the owner's others. They are moved to the end of the buffer unless they stand there
    /// already.
    @inline(__always)
    private mutating func append(_ attribute: AttributeRecord, to owner: AttributeOwner) {
        var range = attributes(of: owner)
        if range.indices.upperBound != arena.pointee.attributes.count {
            let source = arena.pointee.attributes.base + Int(range.start)
            range.start = UInt32(arena.pointee.attributes.count)
            arena.pointee.attributes.append(source, count: Int(range.count))
        }
        arena.pointee.attributes.append(attribute)
        guard !arena.pointee.attributes.isOverfull else { return }
        range.count += 1
        assign(range, to: owner)
        markExtended(owner)
    }

    @inline(__always)
    private func assign(_ range: AttributeRange, to owner: AttributeOwner) {
        switch owner {
        case .resource(let index): arena.pointee.resources[index].attributes = range
        case .scope(let index): arena.pointee.scopes[index].attributes = range
        case .span(let index):
            arena.pointee.spans[index].attributeStart = range.start
            arena.pointee.spans[index].attributeCount = range.count
        case .event(let index, _): arena.pointee.events[index].attributes = range
        case .link(let index, _): arena.pointee.links[index].attributes = range
        }
    }

    /// Something was added that its bytes have nothing of.
    @inline(__always)
    func markExtended(_ owner: AttributeOwner) {
        guard case .span(let index) = owner else { return markDirty(owner) }
        arena.pointee.isVerbatim = false
        arena.pointee.spans[index].state.insert(.extended)
    }

    func markDirty(_ owner: AttributeOwner) {
        arena.pointee.isVerbatim = false
        switch owner {
        case .resource(let index):
            arena.pointee.resources[index].state.formUnion([.dirty, .present])
            arena.pointee.resourceLookups.removeAll()
        case .scope(let index): arena.pointee.scopes[index].state.formUnion([.dirty, .present])
        case .span(let index): arena.pointee.spans[index].state.insert(.dirty)
        case .event(let index, let span):
            arena.pointee.events[index].state.insert(.dirty)
            arena.pointee.spans[span].state.insert(.dirty)
        case .link(let index, let span):
            arena.pointee.links[index].state.insert(.dirty)
            arena.pointee.spans[span].state.insert(.dirty)
        }
    }
}
