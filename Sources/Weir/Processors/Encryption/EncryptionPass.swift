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

        deinit {
            key.uses.wrappingAdd(uses, ordering: .relaxed)
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
        /// Of those, under keys that are not at hand: nobody has looked whether they are.
        var unverified = 0
        /// That were encrypted as a whole, since what stands in them could not be gone through.
        var whole: [MemberWalk.Failure: Int] = [:]
    }

    let policy: EncryptionPolicy
    let keyring: Keyring
    /// What is too much can be refused still.
    let isBounded: Bool
    private var decisions = KeyCache<EncryptionWish>()
    private var decided = 0
    /// The keys that stood in the same places before, in the batch: spans of one kind are alike.
    private var recent: [(key: ByteRef, isOfMessage: Bool, wish: EncryptionWish)] = []
    private var writer = EnvelopeWriter()
    private var address = FieldAddress()
    /// The attribute is one of an event that is a message.
    private var isOfMessage = false
    /// What stands in the value of the attribute that is gone through.
    var members = EncryptedMembers()
    /// Whose keys it gets; empty for the tenant's.
    private var subject: [UInt8] = []
    /// What stands for the persons that resources name, by place; empty where nobody is to be found.
    var subjectsOfResources: [[UInt8]] = []
    /// By tag of the subject; of one tenant, suite and day.
    private var sealers = RecentValues<[UInt8], Sealer>(limit: maxSealers)
    /// The present subject's, where one was looked up: found without hashing anything.
    private var sealer: Sealer?
    /// By what spans have as subject.
    var tags = RecentValues<[UInt8], [UInt8]>(limit: maxSealers)
    private(set) var tenant = ""
    private var day = Day(number: 0)
    private var now = Timestamp(nanoseconds: 0)
    /// As the ring had it when the sealers were made.
    private var destructions = 0
    /// That were used since ``takeNewKeys()`` and that the store may not have.
    private var newKeys: [UInt64: DataKey] = [:]
    var counts = Counts()

    init(_ policy: EncryptionPolicy, _ keyring: Keyring, isBounded: Bool = true) {
        self.policy = policy
        self.keyring = keyring
        self.isBounded = isBounded
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
        members.beginBatch()
        defer {
            writer.reset()
            members.beginBatch()
            isOfMessage = false
        }
        try findSubjects(in: batch)
        for index in batch.resources.indices where batch.isWritten(resource: index) {
            turn(to: subject(ofResource: index))
            try attributes(.resource(index), .resource, nil, &batch)
        }
        for index in batch.scopes.indices where batch.isWritten(scope: index) {
            turn(to: subject(ofResource: Int(batch.scopes[index].resource)))
            try attributes(.scope(index), .scope, nil, &batch)
        }
        for index in batch.spans.indices {
            let span = batch.spans[index]
            guard span.isWritten else { continue }
            turn(to: try subject(of: span, batch))
            members.takesIndices = !policy.indexed.isEmpty && !span.isSampledOut
            // Of values as they were sent, so before they are encrypted.
            let indices = try members.takesIndices ? indices(of: span, batch) : nil
            try attributes(.span(index), .attribute, index, &batch)
            if let indices {
                for new in indices + members.takeIndices() {
                    batch.set(new.name, to: batch.store(.string(new.text)), of: .span(index))
                }
            }
            for event in span.events {
                if policy.content {
                    isOfMessage = ContentKeys.isMessage(
                        event: batch.bytes(batch.ref(of: .eventName(event, span: index))))
                }
                try attributes(.event(event, span: index), .event, index, &batch)
                isOfMessage = false
            }
            for link in span.links { try attributes(.link(link, span: index), .link, index, &batch) }
            if policy.statusMessage { try status(index, &batch) }
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
        sealer = nil
        sealers = RecentValues(limit: Self.maxSealers)
        tags = RecentValues(limit: Self.maxSealers)
    }

    private mutating func attributes(
        _ owner: AttributeOwner, _ place: FieldAddress.Place, _ span: Int?, _ batch: inout Batch
    ) throws(KeyError) {
        var hasBegun = false
        let range = batch.attributes(of: owner).indices
        for index in range {
            let attribute = batch.attributes[index]
            guard !attribute.isRemoved, attribute.kind != .empty else { continue }
            let wish = wish(for: attribute, at: index - range.lowerBound, batch)
            guard wish != .none else { continue }
            if attribute.isLong, let span, batch.spans[span].isSampledOut {
                batch.remove(attributeAt: index, of: owner)
                continue
            }
            if !hasBegun {
                begin(place, span, batch)
                hasBegun = true
            }
            if wish == .members, try members(of: attribute, at: index, owner, &batch) { continue }
            guard try seal(attribute, batch) else { continue }
            let ref = written(to: &batch)
            batch.set(attributeAt: index, to: StoredValue(kind: .string, bits: ref.packed), of: owner)
        }
    }

    private mutating func status(_ index: Int, _ batch: inout Batch) throws(KeyError) {
        let message = batch.bytes(batch.spans[index].statusMessage)
        guard !message.isEmpty else { return }
        begin(.status, index, batch)
        guard try seal(message, .string, path: .none) else { return }
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

    private(set) var length = 0
    /// The batch was told how much it will be given.
    private var hasRoom = false

    private mutating func written(to batch: inout Batch) -> ByteRef {
        // Growing step by step would copy what was written and touch twice the memory: more than encrypting costs.
        if !hasRoom { batch.expectText(batch.payloadSize / 2 * 3 + batch.spans.count * 128) }
        hasRoom = true
        return batch.intern(count: length) { writer.write(to: $0) }
    }

    @inline(__always)
    private mutating func wish(
        for attribute: AttributeRecord, at place: Int, _ batch: borrowing Batch
    ) -> EncryptionWish {
        if attribute.mustEncrypt { return .whole }
        let key = batch.bytes(attribute.key)
        let wish: EncryptionWish
        if place < recent.count, recent[place].isOfMessage == isOfMessage,
            AttributeKey.areEqual(batch.bytes(recent[place].key), key)
        {
            wish = recent[place].wish
        } else {
            wish = self.wish(for: key)
            if place < recent.count {
                recent[place] = (attribute.key, isOfMessage, wish)
            } else if place == recent.count, place < Self.maxRecent {
                recent.append((attribute.key, isOfMessage, wish))
            }
        }
        return wish == .none && attribute.mustEncryptMembers ? .members : wish
    }

    private static let messageSalt: UInt64 = 0x3C3C_3C3C_3C3C_3C3C
    private static let memberSalt: UInt64 = 0x5A5A_5A5A_5A5A_5A5A

    private mutating func wish(for key: UnsafeRawBufferPointer) -> EncryptionWish {
        decision(for: key, salt: isOfMessage ? Self.messageSalt : 0) { [isOfMessage] policy in
            policy.wish(for: key, ofMessage: isOfMessage)
        }
    }

    private mutating func decision(
        for key: UnsafeRawBufferPointer, salt: UInt64, _ decide: (borrowing EncryptionPolicy) -> EncryptionWish
    ) -> EncryptionWish {
        if let known = decisions.decision(for: key, salt: salt) { return known }
        decided += 1
        guard decided <= Self.maxDecisions else { return .whole }
        let decision = decide(policy)
        decisions.keep(decision, for: key, salt: salt)
        return decision
    }

    /// Whether what stands at the path in the value of an attribute is named.
    mutating func wants(_ place: borrowing MemberPlace) -> Bool {
        let below = place.below
        return place.path.withUnsafeBytes { path in
            // What is the same path in another attribute may be named by what is below that.
            decision(for: path, salt: Self.memberSalt ^ UInt64(below)) { policy in
                policy.wants(path, below: below) ? .whole : .none
            } == .whole
        }
    }

    // MARK: A value

    /// - Returns: whether there is an envelope to be written in the value's place.
    @inline(__always)
    private mutating func seal(_ attribute: AttributeRecord, _ batch: borrowing Batch) throws(KeyError) -> Bool {
        let path = FieldAddress.Path(key: batch.bytes(attribute.key))
        switch attribute.kind {
        case .bool: return try seal(number: UInt8(attribute.value & 1), attribute.kind, path: path)
        case .int, .double: return try seal(number: attribute.value.bigEndian, attribute.kind, path: path)
        default: return try seal(batch.bytes(attribute.valueRef), attribute.kind, path: path)
        }
    }

    mutating func seal<Number: BitwiseCopyable>(
        number: Number, _ kind: ValueKind, path: FieldAddress.Path
    ) throws(KeyError) -> Bool {
        let sealer = try usableSealer()
        let length = withUnsafeBytes(of: number) {
            writer.seal($0, kind, sealer.writer, at: &address, path: path)
        }
        return try note(length, sealer)
    }

    @inline(__always)
    mutating func seal(
        _ value: UnsafeRawBufferPointer, _ kind: ValueKind?, path: FieldAddress.Path
    ) throws(KeyError) -> Bool {
        if kind == .string, passes(value, path: path) { return false }
        let sealer = try usableSealer()
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

    /// Whether a text is ciphertext already.
    mutating func passes(_ text: UnsafeRawBufferPointer, path: FieldAddress.Path) -> Bool {
        guard Envelope.hasPrefix(text), isSealed(text, path: path) else { return false }
        counts.passed += 1
        return true
    }

    /// The envelope that was made last.
    func copyOfEnvelope() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { room, count in
            if let start = room.baseAddress { writer.write(to: start) }
            count = length
        }
    }

    /// Whether a text that looks like an envelope is one. Of a key that is at hand it has to open, here; else somebody
    /// wrote it who wants it to pass, and it is encrypted like any text. One of another key is another Weir's.
    private mutating func isSealed(_ text: UnsafeRawBufferPointer, path: FieldAddress.Path) -> Bool {
        guard let envelope = Envelope(text) else { return false }
        guard let key = keyring.known(envelope.keyID) else {
            counts.unverified += 1
            return true
        }
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
    ) throws(KeyError) -> [EncryptedMembers.Index] {
        var found: [EncryptedMembers.Index] = []
        for name in policy.indexed {
            let value: [UInt8]
            switch batch.value(of: name, in: span.attributes) {
            case .string(let text) where !Envelope.isWhole(text): value = Array(text)
            case .int(let number): value = Array("\(number)".utf8)
            default: continue
            }
            found.append(try index(name, of: value))
        }
        return found
    }

    func index(_ name: AttributeKey, of value: [UInt8]) throws(KeyError) -> EncryptedMembers.Index {
        let tag = value.withUnsafeBytes { keyring.tag(of: name.text, $0, tenant: tenant, for: .index) }
        guard let tag else { throw keyring.problem ?? .unavailable("what values are found by is not there") }
        return (AttributeKey(name.text + Self.indexSuffix), tag.hexadecimal)
    }

    // MARK: Keys

    @inline(__always)
    private mutating func turn(to subject: [UInt8]) {
        guard subject != self.subject else { return }
        self.subject = subject
        sealer = nil
    }

    @inline(__always)
    private mutating func usableSealer() throws(KeyError) -> Sealer {
        let usable: Sealer
        if let sealer, sealer.key.isUsable {
            usable = sealer
        } else {
            usable = try findSealer()
            sealer = usable
        }
        if !usable.key.isInStore { newKeys[usable.key.id] = usable.key }
        return usable
    }

    private mutating func findSealer() throws(KeyError) -> Sealer {
        if let sealer = sealers.find(subject), sealer.key.isUsable { return sealer }
        let key = try keyring.key(
            for: tenant, .field, policy.suite, subject: subject, isBounded: isBounded, at: now)
        guard let writer = EnvelopeWriter.Key(id: key.id, policy.suite, key.secret) else { throw .openSSL }
        let sealer = Sealer(key, writer)
        sealers.keep(sealer, for: subject)
        return sealer
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

extension Batch {
    /// Whether anything of the resource may be written: not where it came with spans of which none is. Whose they were
    /// may have been erased, and gets no key again.
    func isWritten(resource index: Int) -> Bool {
        resources[index].scopeCount == 0 || resources[index].scopes.contains { isWritten(scope: $0) }
    }

    fileprivate func isWritten(scope index: Int) -> Bool {
        scopes[index].spanCount == 0 || scopes[index].spans.contains { spans[$0].isWritten }
    }
}

extension SpanRecord {
    /// Whether anything of the span may be written anywhere: of one that was sampled out, what its usage is made of.
    var isWritten: Bool { !isDropped || isSampledOut }
}
