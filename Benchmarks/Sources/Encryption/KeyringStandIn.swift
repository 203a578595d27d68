import Synchronization

// What the pass over a batch wants of a ring of keys, without a store behind it. The lookups are the same: a lane asks
// the ring once for each key.

enum KeyError: Error {
    case openSSL
    case unavailable(String)
    case tooManyPersons(limit: Int)
}

enum KeyClass { case field }

struct DataKeyRow {
    let suite: CipherSuite
}

final class DataKey: Sendable {
    let id: UInt64
    let row: DataKeyRow
    let secret: SecretKey
    let uses = Atomic<Int>(0)
    let isInStore = true
    let isUsable = true

    init(id: UInt64, _ suite: CipherSuite, _ secret: SecretKey) {
        self.id = id
        row = DataKeyRow(suite: suite)
        self.secret = secret
    }
}

final class Keyring: Sendable {
    private let key: DataKey
    let problem: KeyError? = nil
    let limit = 65_536
    let destructions = Atomic<Int>(0)

    init?(_ suite: CipherSuite) {
        guard let secret = SecretKey.random() else { return nil }
        key = DataKey(id: 7, suite, secret)
    }

    func key(
        for tenant: String, _ keyClass: KeyClass, _ suite: CipherSuite, subject: [UInt8], isBounded: Bool,
        at now: Timestamp
    ) throws(KeyError) -> DataKey { key }

    func known(_ id: UInt64) -> DataKey? { key }

    enum Purpose { case subject, index }

    func tag(
        of attribute: String, _ value: UnsafeRawBufferPointer, tenant: String, for purpose: Purpose = .subject
    ) -> [UInt8]? { [1] }
}
