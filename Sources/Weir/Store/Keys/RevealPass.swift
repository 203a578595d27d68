/// Decrypts fields of batches, in memory, for one who may read them. A value that cannot be read becomes empty, and an
/// attribute beside it says why; nothing else comes to harm by it.
struct RevealPass {
    struct Counts: Equatable, Sendable {
        var revealed = 0
        var unreadable = 0
    }

    private let fields: [KeyPattern]

    /// - Parameter fields: attributes that are decrypted, and paths below them; the key of status messages is
    ///   `status.message`.
    init(_ fields: [KeyPattern] = [KeyPattern("*")]) {
        self.fields = fields
    }

    /// The ids of the keys that the batch needs.
    func keyIDs(in batch: borrowing Batch) -> Set<UInt64> {
        var opener = FieldOpener(fields)
        for attribute in batch.attributes where !attribute.isRemoved && attribute.canHaveCiphertext {
            let value = batch.bytes(attribute.valueRef)
            guard Envelope.mayStand(in: value) else { continue }
            _ = opener.open(attribute.kind, value, of: batch.bytes(attribute.key))
        }
        guard opener.wantsStatus else { return opener.keyIDs }
        let messages = batch.spans.compactMap { Envelope(batch.bytes($0.statusMessage)) }
        return opener.keyIDs.union(messages.map(\.keyID))
    }

    // MARK: A batch

    /// - Parameter matchers: find the spans that nothing is opened of, since they were erased.
    func reveal(
        _ batch: inout Batch, with keys: [UInt64: Result<DataKey, Unreadable>], without matchers: [SubjectMatcher] = []
    ) -> Counts {
        var opener = FieldOpener(fields, with: keys)
        let wantsStatus = opener.wantsStatus
        var traces: Set<TraceID> = []
        let erased = matchers.reduce(into: Set<Int>()) { $0.formUnion($1.erased(in: batch, &traces)) }
        func isErased(_ scope: Int) -> Bool {
            let spans = batch.scopes[scope].spans
            return !erased.isEmpty && !spans.isEmpty && spans.allSatisfy(erased.contains)
        }
        for index in batch.resources.indices {
            let scopes = batch.resources[index].scopes
            opener.isErased = !scopes.isEmpty && scopes.allSatisfy(isErased)
            attributes(.resource(index), .resource, nil, &opener, &batch)
        }
        for index in batch.scopes.indices {
            opener.isErased = isErased(index)
            attributes(.scope(index), .scope, nil, &opener, &batch)
        }
        for index in batch.spans.indices {
            opener.isErased = erased.contains(index)
            let span = batch.spans[index]
            attributes(.span(index), .attribute, span, &opener, &batch)
            for event in span.events { attributes(.event(event, span: index), .event, span, &opener, &batch) }
            for link in span.links { attributes(.link(link, span: index), .link, span, &opener, &batch) }
            if wantsStatus { status(index, span, &opener, &batch) }
        }
        return opener.counts
    }

    private func attributes(
        _ owner: AttributeOwner, _ place: FieldAddress.Place, _ span: SpanRecord?, _ opener: inout FieldOpener,
        _ batch: inout Batch
    ) {
        var hasBegun = false
        for index in batch.attributes(of: owner).indices {
            let attribute = batch.attributes[index]
            guard !attribute.isRemoved, attribute.canHaveCiphertext else { continue }
            let value = batch.bytes(attribute.valueRef)
            guard Envelope.mayStand(in: value) else { continue }
            if !hasBegun { begin(place, span, batch.tenant, &opener) }
            hasBegun = true
            guard let new = opener.open(attribute.kind, value, of: batch.bytes(attribute.key)),
                let stored = batch.store(new.bytes, new.kind)
            else { continue }
            batch.set(attributeAt: index, to: stored, of: owner)
        }
        // Last, since attributes that are added may move the others.
        for failure in opener.takeFailures() {
            let name = String(decoding: failure.path, as: UTF8.self) + FieldOpener.suffix
            batch.set(AttributeKey(name), to: batch.store(.string(failure.reason.rawValue)), of: owner)
        }
    }

    private func status(_ index: Int, _ span: SpanRecord, _ opener: inout FieldOpener, _ batch: inout Batch) {
        guard let envelope = Envelope(batch.bytes(span.statusMessage)) else { return }
        begin(.status, span, batch.tenant, &opener)
        switch opener.open(envelope, ofOneOf: [[]]) {
        case nil: return
        case .success(let plaintext):
            let stored = plaintext.withUnsafeBytes { batch.intern($0) }
            batch.set(.statusMessage(index), to: stored)
        case .failure(let reason):
            batch.set(.statusMessage(index), to: .empty)
            batch.set(
                AttributeKey("status.message" + FieldOpener.suffix), to: batch.store(.string(reason.rawValue)),
                of: .span(index))
        }
    }

    private func begin(
        _ place: FieldAddress.Place, _ span: SpanRecord?, _ tenant: String, _ opener: inout FieldOpener
    ) {
        opener.begin(
            place, tenant: tenant, traceIDHigh: span?.traceIDHigh ?? 0, traceIDLow: span?.traceIDLow ?? 0,
            spanID: span?.spanID ?? 0)
    }
}

extension AttributeRecord {
    /// It is a text, or something that texts stand in.
    fileprivate var canHaveCiphertext: Bool { kind == .string || kind == .array || kind == .kvlist }
}

extension Batch {
    /// - Returns: nil where the bytes are no value of that kind.
    fileprivate mutating func store(_ plaintext: [UInt8], _ kind: ValueKind) -> StoredValue? {
        switch kind {
        case .empty: return StoredValue(kind: kind, bits: 0)
        case .bool: return plaintext.count == 1 ? StoredValue(kind: kind, bits: plaintext[0] == 0 ? 0 : 1) : nil
        case .int, .double:
            guard plaintext.count == 8 else { return nil }
            return StoredValue(kind: kind, bits: plaintext.reduce(0) { $0 << 8 | UInt64($1) })
        case .string, .array, .kvlist, .bytes:
            return StoredValue(kind: kind, bits: plaintext.withUnsafeBytes { intern($0) }.packed)
        }
    }
}
