/// A data key as the store keeps it: wrapped, with all that it is bound to.
struct DataKeyRow: Sendable, Equatable {
    /// Bytes of ``subject`` and ``commitment``.
    static let tagSize = 16

    /// Random.
    let id: UInt64
    /// Empty for the class `index`.
    let tenant: String
    let keyClass: KeyClass
    let suite: CipherSuite
    /// In which it was made.
    let day: Day
    /// What stands for the data subject; empty for a key that is nobody's.
    let subject: [UInt8]
    let createdAt: Timestamp
    /// The id of the key encryption key.
    var wrappedBy: String
    /// Empty once destroyed.
    var wrapped: [UInt8]
    /// Says that this and no other key was wrapped, for this and no other row.
    let commitment: [UInt8]
    var destroyedAt: Timestamp?

    var isDestroyed: Bool { destroyedAt != nil }

    /// A new key.
    init(
        id: UInt64, tenant: String, _ keyClass: KeyClass, _ suite: CipherSuite, subject: [UInt8], at now: Timestamp,
        _ secret: SecretKey, wrappedBy key: KeyEncryptionKeys.Key
    ) throws(KeyError) {
        guard let wrapped = KeyWrap.wrap(secret, with: key.secret) else { throw .openSSL }
        self.init(
            id: id, tenant: tenant, keyClass: keyClass, suite: suite, day: Day(now), subject: subject, createdAt: now,
            wrappedBy: key.id, wrapped: wrapped,
            commitment: Self.commitment(id, tenant, keyClass, suite, subject, secret), destroyedAt: nil)
    }

    /// As the store has it.
    init(
        id: UInt64, tenant: String, keyClass: KeyClass, suite: CipherSuite, day: Day, subject: [UInt8],
        createdAt: Timestamp, wrappedBy: String, wrapped: [UInt8], commitment: [UInt8], destroyedAt: Timestamp?
    ) {
        self.id = id
        self.tenant = tenant
        self.keyClass = keyClass
        self.suite = suite
        self.day = day
        self.subject = subject
        self.createdAt = createdAt
        self.wrappedBy = wrappedBy
        self.wrapped = wrapped
        self.commitment = commitment
        self.destroyedAt = destroyedAt
    }

    /// - Returns: the key, or why it cannot be had.
    func unwrapped(by keys: KeyEncryptionKeys) -> Result<SecretKey, Unreadable> {
        if isDestroyed { return .failure(.destroyed) }
        guard let outer = keys.key(wrappedBy) else { return .failure(.noKeyEncryptionKey) }
        guard let secret = KeyWrap.unwrap(wrapped, with: outer.secret),
            Self.commitment(id, tenant, keyClass, suite, subject, secret) == commitment
        else { return .failure(.damaged) }
        return .success(secret)
    }

    private static func commitment(
        _ id: UInt64, _ tenant: String, _ keyClass: KeyClass, _ suite: CipherSuite, _ subject: [UInt8],
        _ secret: SecretKey
    ) -> [UInt8] {
        var message = Array("weir1 key".utf8)
        withUnsafeBytes(of: id.bigEndian) { message += $0 }
        message += [keyClass.rawValue, suite.rawValue]
        withUnsafeBytes(of: UInt32(tenant.utf8.count).bigEndian) { message += $0 }
        message += tenant.utf8
        message += subject
        return Array(secret.authenticate(message).prefix(tagSize))
    }
}
