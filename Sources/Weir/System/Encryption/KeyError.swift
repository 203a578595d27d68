/// Why a key cannot be had. No case holds anything of a key.
enum KeyError: Error, Equatable, CustomStringConvertible {
    /// There is nothing to wrap data keys with, so nothing can be encrypted.
    case noKeyEncryptionKey(String)
    /// The store of the data keys cannot be read or written.
    case unavailable(String)
    /// More new data keys wait for the store than it may keep waiting.
    case tooManyNewKeys
    /// OpenSSL has no memory, no randomness, or was built or configured without AES-256.
    case openSSL

    var description: String {
        switch self {
        case .noKeyEncryptionKey(let reason): "no key encryption key: \(reason)"
        case .unavailable(let reason): "the key store: \(reason)"
        case .tooManyNewKeys: "more than \(Self.maxNewKeys) new data keys wait for the key store"
        case .openSSL: "OpenSSL refuses AES-256"
        }
    }

    static let maxNewKeys = 10_000
}
