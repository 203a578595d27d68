/// Encrypts fields of batches. What one lane keeps from one batch to the next: ciphers with their keys set, what is
/// known of keys of attributes, the tally.
struct EncryptionPass: ~Copyable {
    /// A data key, ready for use.
    private final class Sealer {
        let key: DataKey
        let writer: EnvelopeWriter.Key
        /// Messages that were not counted yet.
        var uses = 0

        init(_ key: DataKey, _ writer: EnvelopeWriter.Key) {
            self.key = key
            self.writer = writer
        }
    }

    /// Persons whose ciphers a lane keeps.
    private static let maxSealers = 1024
    /// Keys of attributes that nobody has met before and that are looked at in one batch, at some microseconds each.
    /// Values of later ones are encrypted.
    private static let maxDecisions = 50_000
    /// Places in the attributes of a span that are remembered.
    private static let maxRecent = 64
    /// Messages that are counted at once.
    private static let usesAtOnce = 1 << 10

    /// Values since ``takeCounts()``.
    struct Counts: Equatable {
        var encrypted = 0
        /// That were ciphertext already.
        var passed = 0
    }

    private let policy: EncryptionPolicy
    private let keyring: Keyring
    private var decisions = KeyCache<Bool>()
    private var decided = 0
    /// The keys that stood in the same places before, in the batch: spans of one kind are alike.
    private var recent: [(key: ByteRef, isWanted: Bool)] = []
    private var writer = EnvelopeWriter()
    private var address = FieldAddress()
    /// By tag of the subject; of one tenant, suite and day.
    private var sealers = RecentValues<[UInt8], Sealer>(limit: maxSealers)
    /// The one that was used last, most often the tenant's: found without hashing anything.
    private var last: (subject: [UInt8], sealer: Sealer)?
    /// By what spans have as subject.
    private var tags = RecentValues<[UInt8], [UInt8]>(limit: maxSealers)
    private var tenant = ""
    private var day = Day(number: 0)
    private var now = Timestamp(nanoseconds: 0)
    /// As the ring had it when the sealers were made.
    private var destructions = 0
    /// That were used since ``takeNewKeys()`` and that the store may not have.
    private var newKeys: [UInt64: DataKey] = [:]
    private(set) var counts = Counts()

    init(_ policy: EncryptionPolicy, _ keyring: Keyring) {
        self.policy = policy
        self.keyring = keyring
    }

    mutating func takeCounts() -> Counts {
        defer { counts = Counts() }
        return counts
    }

    /// Keys that have to be durable before what was encrypted may be.
    mutating func takeNewKeys() -> [DataKey] {
        defer { newKeys.removeAll() }
        return Array(newKeys.values)
    }

    // MARK: A batch

    mutating func encrypt(_ batch: inout Batch) throws(KeyError) {
        begin(batch.tenant, at: batch.receivedAt)
        hasRoom = false
        recent.removeAll(keepingCapacity: true)
        defer { writer.reset() }
        for index in batch.resources.indices { try attributes(.resource(index), .resource, nil, [], &batch) }
        for index in batch.scopes.indices { try attributes(.scope(index), .scope, nil, [], &batch) }
        for index in batch.spans.indices {
            let span = batch.spans[index]
            guard span.isWritten else { continue }
            let subject = try subject(of: span, batch)
            let indices = try policy.indexed.isEmpty || span.isSampledOut ? [] : indices(of: span, batch)
            try attributes(.span(index), .attribute, index, subject, &batch)
            for new in indices { batch.set(new.name, to: batch.store(.string(new.text)), of: .span(index)) }
            for event in span.events { try attributes(.event(event, span: index), .event, index, subject, &batch) }
            for link in span.links { try attributes(.link(link, span: index), .link, index, subject, &batch) }
            if policy.statusMessage { try status(index, subject, &batch) }
        }
    }

    private mutating func begin(_ tenant: String, at now: Timestamp) {
        self.now = now
        decided = 0
        let destructions = keyring.destructions.load(ordering: .relaxed)
        guard tenant != self.tenant || day != Day(now) || destructions != self.destructions else { return }
        self.destructions = destructions
        self.tenant = tenant
        day = Day(now)
        last = nil
        sealers = RecentValues(limit: Self.maxSealers)
        tags = RecentValues(limit: Self.maxSealers)
    }

    private mutating func attributes(
        _ owner: AttributeOwner, _ place: FieldAddress.Place, _ span: Int?, _ subject: [UInt8], _ batch: inout Batch
    ) throws(KeyError) {
        var hasBegun = false
        let range = batch.attributes(of: owner).indices
        for index in range {
            let attribute = batch.attributes[index]
            guard !attribute.isRemoved, attribute.kind != .empty else { continue }
            guard wants(attribute, at: index - range.lowerBound, batch) else { continue }
            if attribute.isLong, let span, batch.spans[span].isSampledOut {
                batch.remove(attributeAt: index, of: owner)
                continue
            }
            if !hasBegun {
                begin(place, span, batch)
                hasBegun = true
            }
            guard try seal(attribute, subject, batch) else { continue }
            let ref = written(to: &batch)
            batch.set(attributeAt: index, to: StoredValue(kind: .string, bits: ref.packed), of: owner)
        }
    }

    private mutating func status(
        _ index: Int, _ subject: [UInt8], _ batch: inout Batch
    ) throws(KeyError) {
        let message = batch.bytes(batch.spans[index].statusMessage)
        guard !message.isEmpty else { return }
        begin(.status, index, batch)
        guard try seal(message, .string, path: UnsafeRawBufferPointer(start: nil, count: 0), subject) else { return }
        let ref = written(to: &batch)
        batch.set(.statusMessage(index), to: ref)
    }

    @inline(__always)
    private mutating func begin(_ place: FieldAddress.Place, _ span: Int?, _ batch: borrowing Batch) {
        guard let span else { return address.begin(place, tenant: tenant) }
        let spans = batch.spans
        address.begin(
            place, tenant: tenant, traceIDHigh: spans[span].traceIDHigh, traceIDLow: spans[span].traceIDLow,
            spanID: spans[span].spanID)
    }

    private var length = 0
    /// The batch was told how much it will be given.
    private var hasRoom = false

    private mutating func written(to batch: inout Batch) -> ByteRef {
        // Growing step by step would copy what was written and touch twice the memory: more than encrypting costs.
        if !hasRoom { batch.expectText(batch.payloadSize / 2 * 3 + batch.spans.count * 128) }
        hasRoom = true
        return batch.intern(count: length) { writer.write(to: $0) }
    }

    @inline(__always)
    private mutating func wants(_ attribute: AttributeRecord, at place: Int, _ batch: borrowing Batch) -> Bool {
        if attribute.mustEncrypt { return true }
        let key = batch.bytes(attribute.key)
        if place < recent.count, AttributeKey.areEqual(batch.bytes(recent[place].key), key) {
            return recent[place].isWanted
        }
        let isWanted = wants(key)
        if place < recent.count {
            recent[place] = (attribute.key, isWanted)
        } else if place == recent.count, place < Self.maxRecent {
            recent.append((attribute.key, isWanted))
        }
        return isWanted
    }

    private mutating func wants(_ key: UnsafeRawBufferPointer) -> Bool {
        if let known = decisions.decision(for: key, salt: 0) { return known }
        decided += 1
        guard decided <= Self.maxDecisions else { return true }
        let decision = policy.wants(key)
        decisions.keep(decision, for: key, salt: 0)
        return decision
    }

    // MARK: A value

    /// - Returns: whether there is an envelope to be written in the value's place.
    @inline(__always)
    private mutating func seal(
        _ attribute: AttributeRecord, _ subject: [UInt8], _ batch: borrowing Batch
    ) throws(KeyError) -> Bool {
        let path = batch.bytes(attribute.key)
        switch attribute.kind {
        case .bool:
            return try seal(number: UInt8(attribute.value & 1), attribute.kind, path: path, subject)
        case .int, .double:
            return try seal(number: attribute.value.bigEndian, attribute.kind, path: path, subject)
        default:
            return try seal(batch.bytes(attribute.valueRef), attribute.kind, path: path, subject)
        }
    }

    private mutating func seal<Number: BitwiseCopyable>(
        number: Number, _ kind: ValueKind, path: UnsafeRawBufferPointer, _ subject: [UInt8]
    ) throws(KeyError) -> Bool {
        let sealer = try sealer(for: subject)
        let length = withUnsafeBytes(of: number) {
            writer.seal($0, kind, sealer.writer, at: &address, path: path)
        }
        return try note(length, sealer)
    }

    @inline(__always)
    private mutating func seal(
        _ value: UnsafeRawBufferPointer, _ kind: ValueKind, path: UnsafeRawBufferPointer, _ subject: [UInt8]
    ) throws(KeyError) -> Bool {
        if kind == .string, Envelope.hasPrefix(value), isSealed(value, path: path) {
            counts.passed += 1
            return false
        }
        let sealer = try sealer(for: subject)
        return try note(writer.seal(value, kind, sealer.writer, at: &address, path: path), sealer)
    }

    private mutating func note(_ length: Int?, _ sealer: Sealer) throws(KeyError) -> Bool {
        guard let length else { throw .openSSL }
        self.length = length
        counts.encrypted += 1
        sealer.uses += 1
        if sealer.uses == Self.usesAtOnce {
            sealer.key.uses.wrappingAdd(sealer.uses, ordering: .relaxed)
            sealer.uses = 0
        }
        return true
    }

    /// Whether a text that looks like an envelope is one. Of a key that is at hand it has to open, here; else somebody
    /// wrote it who wants it to pass, and it is encrypted like any text. One of another key is another Weir's.
    private mutating func isSealed(_ text: UnsafeRawBufferPointer, path: UnsafeRawBufferPointer) -> Bool {
        guard let envelope = Envelope(text) else { return false }
        guard let key = keyring.known(envelope.keyID) else { return true }
        guard envelope.suite == key.row.suite, let cipher = Cipher(envelope.suite, key: key.secret, .decrypt) else {
            return false
        }
        return envelope.open(cipher, at: &address, path: path) != nil
    }

    // MARK: Indices

    /// What stands behind the key of an attribute, in the key of its index.
    static let indexSuffix = ".index"

    /// What is to stand beside attributes of the span so that equal values are found.
    private func indices(
        of span: SpanRecord, _ batch: borrowing Batch
    ) throws(KeyError) -> [(name: AttributeKey, text: String)] {
        var found: [(name: AttributeKey, text: String)] = []
        for name in policy.indexed {
            let value: [UInt8]
            switch batch.value(of: name, in: span.attributes) {
            case .string(let text) where !Envelope.hasPrefix(text): value = Array(text)
            case .int(let number): value = Array("\(number)".utf8)
            default: continue
            }
            let tag = value.withUnsafeBytes { keyring.tag(of: name.text, $0, tenant: tenant, for: .index) }
            guard let tag else { throw keyring.problem ?? .unavailable("what values are found by is not there") }
            found.append((AttributeKey(name.text + Self.indexSuffix), tag.hexadecimal))
        }
        return found
    }

    // MARK: Keys

    @inline(__always)
    private mutating func sealer(for subject: [UInt8]) throws(KeyError) -> Sealer {
        if let last, last.subject == subject, last.sealer.key.isUsable {
            if !last.sealer.key.isInStore { newKeys[last.sealer.key.id] = last.sealer.key }
            return last.sealer
        }
        let sealer = try findSealer(for: subject)
        if !sealer.key.isInStore { newKeys[sealer.key.id] = sealer.key }
        last = (subject, sealer)
        return sealer
    }

    private mutating func findSealer(for subject: [UInt8]) throws(KeyError) -> Sealer {
        if let sealer = sealers.find(subject), sealer.key.isUsable { return sealer }
        let key = try keyring.key(for: tenant, .field, policy.suite, subject: subject, at: now)
        guard let writer = EnvelopeWriter.Key(id: key.id, policy.suite, key.secret) else { throw .openSSL }
        let sealer = Sealer(key, writer)
        sealers.keep(sealer, for: subject)
        return sealer
    }

    /// What stands for the person that the span is about; empty where it names none.
    private mutating func subject(of span: SpanRecord, _ batch: borrowing Batch) throws(KeyError) -> [UInt8] {
        for (place, name) in policy.subjects.enumerated() {
            guard let value = batch.value(of: name, in: span.attributes) else { continue }
            var bytes: [UInt8]
            switch value {
            case .string(let text): bytes = Array(text)
            case .int(let number): bytes = Array("\(number)".utf8)
            default: continue
            }
            guard !bytes.isEmpty else { continue }
            bytes.append(UInt8(place))
            if let tag = tags.find(bytes) { return tag }
            let tag = bytes.dropLast().withUnsafeBytes { keyring.tag(of: name.text, $0, tenant: tenant) }
            // Under the tenant's key it would outlive the erasure of the person.
            guard let tag else { throw keyring.problem ?? .unavailable("what subjects are looked up by is not there") }
            tags.keep(tag, for: bytes)
            return tag
        }
        return []
    }
}

extension AttributeRecord {
    /// Whether usage has no use for it, so that it need not be encrypted where nothing else is kept.
    fileprivate var isLong: Bool {
        switch kind {
        case .string, .bytes, .array, .kvlist: valueRef.count > SampledOutEncoder.maxText
        case .empty, .bool, .int, .double: false
        }
    }
}

extension SpanRecord {
    /// Whether anything of the span may be written anywhere: of one that was sampled out, what its usage is made of.
    fileprivate var isWritten: Bool { !isDropped || isSampledOut }
}
