/// Why a key cannot be had. No case holds anything of a key.
enum KeyError: Error, Equatable, CustomStringConvertible {
    /// There is nothing to wrap data keys with, so nothing can be encrypted.
    case noKeyEncryptionKey(String)
    /// The store of the data keys cannot be read or written.
    case unavailable(String)
    /// As many new data keys wait for the store as may.
    case tooManyNewKeys(limit: Int)
    /// One request is about more persons than it may be.
    case tooManyPersons(limit: Int)
    /// OpenSSL has no memory, no randomness, or was built or configured without AES-256.
    case openSSL

    var description: String {
        switch self {
        case .noKeyEncryptionKey(let reason): "no key encryption key: \(reason)"
        case .unavailable(let reason): "the key store: \(reason)"
        case .tooManyNewKeys(let limit): "too many new data keys wait for the key store: max_new_keys is \(limit)"
        case .tooManyPersons(let limit): "found more than \(limit) persons in a request, wanted at most max_persons"
        case .openSSL: "OpenSSL refuses AES-256"
        }
    }

    /// The same for clients, who are told nothing of where keys stand; the log and the health say the rest.
    var summary: String {
        switch self {
        case .noKeyEncryptionKey: "no key encryption key"
        case .unavailable: "the key store is not available"
        case .tooManyNewKeys, .tooManyPersons, .openSSL: description
        }
    }
}
