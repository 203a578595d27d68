/// Spans that travel together: the bytes as they were received, and records that point into them.
///
/// A batch is one pointer wide and has one owner. What it hands out (``bytes(_:)``, ``spans``, ``AnyValue``) points
/// into it and holds until the next change.
struct Batch: ~Copyable {
    /// What a batch is made of. It stands behind a pointer so that passing the batch on never copies it.
    struct Arena: ~Copyable {
        var payload: Payload
        /// Rewritten values, unescaped JSON strings, encoded lists.
        var side: RecordBuffer<UInt8>
        var spans: RecordBuffer<SpanRecord>
        var attributes: RecordBuffer<AttributeRecord>
        var events: RecordBuffer<EventRecord>
        var links: RecordBuffer<LinkRecord>
        var scopes: RecordBuffer<ScopeRecord>
        var resources: RecordBuffer<ResourceRecord>
        /// Whether the payload is, byte for byte, what the batch would be encoded to.
        var isVerbatim = false
        var droppedSpans = 0
        /// Of those: what sampling left out.
        var sampledOutSpans = 0
        /// Names of the rules that sampled spans out.
        var samplingRules: [ByteRef] = []
        var membersToEncrypt = MarkedMembers()
        var resourceLookups = ResourceLookups()
        var matchBudget = MatchBudget()
        var rejected = Rejections()
    }

    let arena: UnsafeMutablePointer<Arena>
    /// Whose spans these are.
    var tenant = Batch.anybody
    /// When the last byte of the request came.
    var receivedAt = Timestamp(nanoseconds: 0)
    /// These spans were counted before, when sampling left them out.
    var isPromoted = false

    /// The tenant of spans whose sender was not asked for a key.
    static let anybody = "default"

    /// Bytes that each kind of record keeps from one request to the next.
    static let retained = 256 << 10

    /// - Parameter decodedLimit: bytes that each kind of record may take, so that a small body of tiny fields cannot
    ///   fill the memory.
    init(decodedLimit: Int = 128 << 20) {
        arena = .allocate(capacity: 1)
        arena.initialize(
            to: Arena(
                payload: .empty,
                side: RecordBuffer(capacity: 4096, limit: min(decodedLimit, Int(Int32.max) - 4096)),
                spans: RecordBuffer(capacity: 64, limit: decodedLimit),
                attributes: RecordBuffer(capacity: 512, limit: decodedLimit),
                events: RecordBuffer(capacity: 16, limit: decodedLimit),
                links: RecordBuffer(capacity: 4, limit: decodedLimit),
                scopes: RecordBuffer(capacity: 4, limit: decodedLimit),
                resources: RecordBuffer(capacity: 4, limit: decodedLimit)))
    }

    deinit {
        arena.deinitialize(count: 1)
        arena.deallocate()
    }

    /// Empties the batch, so that the next request can be decoded into the same memory.
    mutating func reset(to payload: Payload) {
        arena.pointee.payload = payload
        arena.pointee.side.reset(keeping: Batch.retained)
        arena.pointee.spans.reset(keeping: Batch.retained)
        arena.pointee.attributes.reset(keeping: Batch.retained)
        arena.pointee.events.reset(keeping: Batch.retained)
        arena.pointee.links.reset(keeping: Batch.retained)
        arena.pointee.scopes.reset(keeping: Batch.retained)
        arena.pointee.resources.reset(keeping: Batch.retained)
        arena.pointee.isVerbatim = false
        arena.pointee.droppedSpans = 0
        arena.pointee.sampledOutSpans = 0
        arena.pointee.samplingRules.removeAll(keepingCapacity: true)
        arena.pointee.membersToEncrypt = MarkedMembers()
        arena.pointee.resourceLookups.removeAll()
        arena.pointee.matchBudget = MatchBudget()
        arena.pointee.rejected = Rejections()
    }
}

extension Batch.Arena {
    /// A resource that nobody can vouch for goes, with its spans.
    mutating func reject(resource index: Int, because defect: SpanDefect) {
        resources[index].state.insert(.dropped)
        for scope in resources[index].scopes { reject(scope: scope, because: defect) }
        isVerbatim = false
    }

    /// A scope likewise.
    mutating func reject(scope index: Int, because defect: SpanDefect) {
        scopes[index].state.insert(.dropped)
        var live = 0
        for span in scopes[index].spans where !spans[span].isDropped {
            spans[span].state.insert(.dropped)
            live += 1
        }
        droppedSpans += live
        rejected.add(defect, spans: live)
        isVerbatim = false
    }
}

// MARK: - Reading

extension Batch {
    /// All spans, dropped ones too: ask ``SpanRecord/isDropped``.
    var spans: UnsafeBufferPointer<SpanRecord> { view(arena.pointee.spans.base, arena.pointee.spans.count) }
    var attributes: UnsafeBufferPointer<AttributeRecord> {
        view(arena.pointee.attributes.base, arena.pointee.attributes.count)
    }
    var events: UnsafeBufferPointer<EventRecord> { view(arena.pointee.events.base, arena.pointee.events.count) }
    var links: UnsafeBufferPointer<LinkRecord> { view(arena.pointee.links.base, arena.pointee.links.count) }
    var scopes: UnsafeBufferPointer<ScopeRecord> { view(arena.pointee.scopes.base, arena.pointee.scopes.count) }
    var resources: UnsafeBufferPointer<ResourceRecord> {
        view(arena.pointee.resources.base, arena.pointee.resources.count)
    }

    private func view<Record>(_ base: UnsafeMutablePointer<Record>, _ count: Int) -> UnsafeBufferPointer<Record> {
        UnsafeBufferPointer(start: base, count: count)
    }

    /// Spans that are still in the batch.
    var spanCount: Int { arena.pointee.spans.count - arena.pointee.droppedSpans }

    /// Spans that the decoder turned away, and why.
    var rejected: Rejections { arena.pointee.rejected }

    /// Whether a limit was reached while the batch was made or changed. It must then be refused as a whole.
    var isOverfull: Bool {
        arena.pointee.side.isOverfull || arena.pointee.spans.isOverfull || arena.pointee.attributes.isOverfull
            || arena.pointee.events.isOverfull || arena.pointee.links.isOverfull || arena.pointee.scopes.isOverfull
            || arena.pointee.resources.isOverfull
    }

    @inline(__always)
    func bytes(_ ref: ByteRef) -> UnsafeRawBufferPointer {
        let base = ref.isInSide ? UnsafeRawPointer(arena.pointee.side.base) : arena.pointee.payload.base
        return UnsafeRawBufferPointer(start: base + ref.position, count: Int(ref.count))
    }

    /// A copy, for what a person reads. Never in a loop over spans.
    func text(_ ref: ByteRef) -> String {
        String(decoding: bytes(ref), as: UTF8.self)
    }

    func value(of attribute: AttributeRecord) -> AnyValue {
        switch attribute.kind {
        case .empty: .empty
        case .string: .string(bytes(attribute.valueRef))
        case .bool: .bool(attribute.value != 0)
        case .int: .int(Int64(bitPattern: attribute.value))
        case .double: .double(Double(bitPattern: attribute.value))
        case .array: .array(ArrayValue(bytes(attribute.valueRef)))
        case .kvlist: .kvlist(KeyValueList(bytes(attribute.valueRef)))
        case .bytes: .bytes(bytes(attribute.valueRef))
        }
    }

    /// The index of the first attribute with this key.
    @inline(__always)
    func firstIndex(of key: AttributeKey, in range: AttributeRange) -> Int? {
        for index in range.indices {
            let attribute = arena.pointee.attributes[index]
            guard Int(attribute.key.count) == key.count, !attribute.isRemoved else { continue }
            if key.equals(bytes(attribute.key)) { return index }
        }
        return nil
    }

    /// Whether attributes have the keys of others, in the same order, and none of them was removed or is empty.
    func haveSameKeys(_ range: AttributeRange, _ others: AttributeRange) -> Bool {
        guard range.count == others.count else { return false }
        var (next, other) = (arena.pointee.attributes.base, arena.pointee.attributes.base)
        next += Int(range.start)
        other += Int(others.start)
        let end = next + Int(range.count)
        while next != end {
            guard next.pointee.key.count == other.pointee.key.count, !next.pointee.isRemoved,
                next.pointee.kind != .empty,
                AttributeKey.areEqual(bytes(next.pointee.key), bytes(other.pointee.key))
            else { return false }
            next += 1
            other += 1
        }
        return true
    }

    /// The value of the first attribute with this key.
    func value(of key: AttributeKey, in range: AttributeRange) -> AnyValue? {
        firstIndex(of: key, in: range).map { value(of: arena.pointee.attributes[$0]) }
    }

    func resource(of span: SpanRecord) -> ResourceRecord {
        arena.pointee.resources[Int(arena.pointee.scopes[Int(span.scope)].resource)]
    }
}

extension SpanRecord {
    @inline(__always)
    var isDropped: Bool { state.contains(.dropped) }
}

/// The key of an attribute, ready to be compared.
struct AttributeKey: Sendable, Hashable {
    let bytes: [UInt8]
    var count: Int { bytes.count }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = Array(bytes)
    }

    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeBytes { Self.areEqual($0, other) }
    }

    @inline(__always)
    static func areEqual(_ own: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard own.count == other.count else { return false }
        guard own.count >= 8 else { return zip(own, other).allSatisfy { $0 == $1 } }
        // Eight bytes at a time, of which the last may be among those before.
        let last = own.count - 8
        var position = 0
        while position < last {
            guard areEqual(own, other, at: position) else { return false }
            position += 8
        }
        return areEqual(own, other, at: last)
    }

    @inline(__always)
    private static func areEqual(
        _ own: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, at position: Int
    ) -> Bool {
        own.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            == other.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    }
}
