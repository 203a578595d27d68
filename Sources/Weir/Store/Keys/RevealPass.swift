/// Decrypts fields of batches, in memory, for one who may read them. A value that cannot be read becomes empty, and an
/// attribute beside it says why; nothing else comes to harm by it.
struct RevealPass: ~Copyable {
    /// What the attribute that says why is called behind its key.
    static let suffix = ".unreadable"

    struct Counts: Equatable, Sendable {
        var revealed = 0
        var unreadable = 0
    }

    private let fields: [GlobPattern]
    private let wantsStatus: Bool
    private var address = FieldAddress()
    private var ciphers: [UInt64: Cipher] = [:]
    private var counts = Counts()

    /// - Parameter fields: attributes that are decrypted; the key of status messages is `status.message`.
    init(_ fields: [GlobPattern] = [GlobPattern("*")]) {
        self.fields = fields
        wantsStatus = Array("status.message".utf8).withUnsafeBytes { key in fields.contains { $0.matches(key) } }
    }

    // MARK: Which keys

    /// The ids of the keys that the batch needs.
    func keyIDs(in batch: borrowing Batch) -> Set<UInt64> {
        var ids: Set<UInt64> = []
        for attribute in batch.attributes where !attribute.isRemoved && attribute.kind == .string {
            let value = batch.bytes(attribute.valueRef)
            guard Envelope.hasPrefix(value), wants(batch.bytes(attribute.key)) else { continue }
            if let envelope = Envelope(value) { ids.insert(envelope.keyID) }
        }
        guard wantsStatus else { return ids }
        for span in batch.spans {
            if let envelope = Envelope(batch.bytes(span.statusMessage)) { ids.insert(envelope.keyID) }
        }
        return ids
    }

    private func wants(_ key: UnsafeRawBufferPointer) -> Bool { fields.contains { $0.matches(key) } }

    // MARK: A batch

    mutating func reveal(
        _ batch: inout Batch, with keys: [UInt64: Result<DataKey, Unreadable>]
    ) -> Counts {
        counts = Counts()
        defer { ciphers.removeAll() }
        for index in batch.resources.indices { attributes(.resource(index), .resource, nil, keys, &batch) }
        for index in batch.scopes.indices { attributes(.scope(index), .scope, nil, keys, &batch) }
        for index in batch.spans.indices {
            let span = batch.spans[index]
            attributes(.span(index), .attribute, span, keys, &batch)
            for event in span.events { attributes(.event(event, span: index), .event, span, keys, &batch) }
            for link in span.links { attributes(.link(link, span: index), .link, span, keys, &batch) }
            if wantsStatus { status(index, span, keys, &batch) }
        }
        return counts
    }

    private mutating func attributes(
        _ owner: AttributeOwner, _ place: FieldAddress.Place, _ span: SpanRecord?,
        _ keys: [UInt64: Result<DataKey, Unreadable>], _ batch: inout Batch
    ) {
        var failures: [(name: AttributeKey, reason: Unreadable)] = []
        for index in batch.attributes(of: owner).indices {
            let attribute = batch.attributes[index]
            guard !attribute.isRemoved, attribute.kind == .string else { continue }
            let value = batch.bytes(attribute.valueRef)
            let key = batch.bytes(attribute.key)
            guard Envelope.hasPrefix(value), wants(key), let envelope = Envelope(value) else { continue }
            begin(place, span, batch.tenant)
            switch open(envelope, path: key, keys) {
            case .success(let plaintext):
                if let stored = batch.store(plaintext, envelope.kind) {
                    batch.set(attributeAt: index, to: stored, of: owner)
                }
                counts.revealed += 1
            case .failure(let reason):
                failures.append((AttributeKey(batch.text(attribute.key) + Self.suffix), reason))
                batch.set(attributeAt: index, to: StoredValue(kind: .empty, bits: 0), of: owner)
                counts.unreadable += 1
            }
        }
        // Last, since attributes that are added may move the others.
        for failure in failures {
            batch.set(failure.name, to: batch.store(.string(failure.reason.rawValue)), of: owner)
        }
    }

    private mutating func status(
        _ index: Int, _ span: SpanRecord, _ keys: [UInt64: Result<DataKey, Unreadable>], _ batch: inout Batch
    ) {
        guard let envelope = Envelope(batch.bytes(span.statusMessage)) else { return }
        begin(.status, span, batch.tenant)
        switch open(envelope, path: UnsafeRawBufferPointer(start: nil, count: 0), keys) {
        case .success(let plaintext):
            let stored = plaintext.withUnsafeBytes { batch.intern($0) }
            batch.set(.statusMessage(index), to: stored)
            counts.revealed += 1
        case .failure(let reason):
            batch.set(.statusMessage(index), to: .empty)
            batch.set(
                AttributeKey("status.message" + Self.suffix), to: batch.store(.string(reason.rawValue)),
                of: .span(index))
            counts.unreadable += 1
        }
    }

    private mutating func begin(_ place: FieldAddress.Place, _ span: SpanRecord?, _ tenant: String) {
        address.begin(
            place, tenant: tenant, traceIDHigh: span?.traceIDHigh ?? 0, traceIDLow: span?.traceIDLow ?? 0,
            spanID: span?.spanID ?? 0)
    }

    // MARK: A value

    private mutating func open(
        _ envelope: Envelope, path: UnsafeRawBufferPointer, _ keys: [UInt64: Result<DataKey, Unreadable>]
    ) -> Result<[UInt8], Unreadable> {
        switch keys[envelope.keyID] ?? .failure(.unknownKey) {
        case .failure(let reason): return .failure(reason)
        case .success(let key):
            // Anybody may write a text that names the key and another suite; it must not decide for those behind it.
            guard envelope.suite == key.row.suite else { return .failure(.notAuthentic) }
            let cipher = ciphers[key.id] ?? Cipher(envelope.suite, key: key.secret, .decrypt)
            ciphers[key.id] = cipher
            guard let cipher, let plaintext = envelope.open(cipher, at: &address, path: path) else {
                return .failure(.notAuthentic)
            }
            return .success(plaintext)
        }
    }
}

extension Batch {
    /// - Returns: nil where the bytes are no value of that kind.
    fileprivate mutating func store(_ plaintext: [UInt8], _ kind: ValueKind) -> StoredValue? {
        switch kind {
        case .empty: return nil
        case .bool: return plaintext.count == 1 ? StoredValue(kind: kind, bits: plaintext[0] == 0 ? 0 : 1) : nil
        case .int, .double:
            guard plaintext.count == 8 else { return nil }
            return StoredValue(kind: kind, bits: plaintext.reduce(0) { $0 << 8 | UInt64($1) })
        case .string, .array, .kvlist, .bytes:
            return StoredValue(kind: kind, bits: plaintext.withUnsafeBytes { intern($0) }.packed)
        }
    }
}
