import Logging

/// Encrypts spans and sections of records, with a data key of the class `journal` a tenant and day.
///
/// What is sealed is the length of the section, a u32, the section and the payload; what is bound to it is the record's
/// tenant, time and count of spans. Its payload is then an envelope as fields have it, without the text around it.
struct KeystoreCodec: RecordCodec {
    /// The number of the codec in headers of records.
    static let number: UInt8 = 1
    private static let suite = CipherSuite.xaes256gcm
    private static let pause = Duration.seconds(1)

    let isSealing: Bool
    /// With keys of the first it seals; what others have sealed, as before the configuration was changed, it reads.
    private let rings: [Keyring]
    private let logger: Logger

    init(_ rings: [Keyring], isSealing: Bool, _ logger: Logger) {
        self.rings = rings
        self.isSealing = isSealing
        self.logger = logger
    }

    /// The codec of a collector; nil where there is no keystore. Where encryption is off now, what was written before
    /// can still be read.
    static func make(
        _ configuration: CollectorConfiguration, _ extensions: Extensions, _ logger: Logger
    ) throws(ConfigError) -> KeystoreCodec? {
        let rings = try keystores(of: configuration).map { (id) throws(ConfigError) in
            try extensions.find(id, as: KeystoreExtension.self).ring
        }
        guard !rings.isEmpty else { return nil }
        return KeystoreCodec(rings, isSealing: configuration.service.journal.limits.encryption != nil, logger)
    }

    /// Those that the codec of a collector uses: first the one that it seals with.
    static func keystores(of configuration: CollectorConfiguration) -> [ComponentID] {
        let all = configuration.extensions.map(\.id).filter { $0.type == KeystoreExtension.type }
        guard let first = configuration.service.journal.limits.encryption else { return all }
        return [first] + all.filter { $0 != first }
    }

    func keyID(of record: JournalRecord) -> UInt32 {
        UInt32(truncatingIfNeeded: RecordEnvelope.keyID(of: record.payload) ?? 0)
    }

    func seal(_ record: JournalRecord) async throws(Refusal) -> JournalRecord {
        do throws(KeyError) {
            let key = try rings[0].key(for: record.tenant, .journal, Self.suite, at: .now())
            try await rings[0].makeDurable([key])
            let section = record.section.bytes
            var plaintext = PayloadBuilder(capacity: 4 + section.count + record.payload.count)
            withUnsafeBytes(of: UInt32(section.count).bigEndian) { plaintext.append($0) }
            section.withUnsafeBytes { plaintext.append($0) }
            plaintext.append(record.payload.bytes)
            guard let sealed = RecordEnvelope.seal(plaintext.finish(), key.id, key.secret, Self.binding(record)) else {
                throw .openSSL
            }
            var new = record
            new.codec = Self.number
            new.section = RecordSection()
            new.payload = sealed
            return new
        } catch {
            throw .overloaded("nothing is kept that cannot be encrypted: \(error.summary)", retryAfter: .seconds(5))
        }
    }

    func open(_ record: JournalRecord, while isWanted: @Sendable (AwaitedKey) -> Bool) async -> OpenedRecord {
        guard let id = RecordEnvelope.keyID(of: record.payload) else { return gone(record, .notAuthentic) }
        while true {
            switch await find(id) {
            case .success(let key):
                guard let plaintext = RecordEnvelope.open(record.payload, key.secret, Self.binding(record)) else {
                    return gone(record, .notAuthentic)
                }
                guard let opened = Self.opened(record, plaintext) else { return gone(record, .notAuthentic) }
                return .record(opened)
            case .failure(let reason) where reason.isFinal: return gone(record, reason)
            // The key is somewhere, so the record is not given up.
            case .failure(let reason):
                let key = AwaitedKey(
                    id: id, sequence: record.sequence, tenant: record.tenant, reason: reason.rawValue)
                guard isWanted(key), !Task.isCancelled else { return .interrupted }
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    /// What is said of a key that nobody has is said by one that cannot look for it, if there is one.
    private func find(_ id: UInt64) async -> Result<DataKey, Unreadable> {
        var reason = Unreadable.unknownKey
        for ring in rings {
            switch await ring.find([id])[id] ?? .failure(.unknownKey) {
            case .failure(.unknownKey): continue
            case .failure(let failure) where !failure.isFinal: reason = failure
            case let found: return found
            }
        }
        return .failure(reason)
    }

    private func gone(_ record: JournalRecord, _ reason: Unreadable) -> OpenedRecord {
        logger.error(
            "a record cannot be had any more",
            metadata: [
                "sequence": "\(record.sequence)", "spans": "\(record.spanCount)", "reason": "\(reason.rawValue)",
            ])
        return .gone
    }

    private static func opened(_ record: JournalRecord, _ plaintext: Payload) -> JournalRecord? {
        let bytes = plaintext.bytes
        guard bytes.count >= 4 else { return nil }
        let start = 4 + Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard start <= bytes.count else { return nil }
        var new = record
        new.codec = 0
        new.section = RecordSection(UnsafeRawBufferPointer(rebasing: bytes[4..<start]))
        new.payload = .copying(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        return new
    }

    private static func binding(_ record: JournalRecord) -> [UInt8] {
        var bytes = Array("weir1 record".utf8)
        withUnsafeBytes(of: UInt32(record.tenant.utf8.count).bigEndian) { bytes += $0 }
        bytes += record.tenant.utf8
        withUnsafeBytes(of: record.receivedAt.nanoseconds.bigEndian) { bytes += $0 }
        withUnsafeBytes(of: UInt64(record.spanCount).bigEndian) { bytes += $0 }
        return bytes
    }
}
