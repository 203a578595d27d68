/// Why something that is encrypted cannot be read.
enum Unreadable: String, Error, Sendable {
    /// The store has no key of that id.
    case unknownKey = "unknown key"
    case destroyed = "key destroyed"
    /// It is wrapped with a key encryption key that is not configured.
    case noKeyEncryptionKey = "no key encryption key"
    /// The row was changed, or its key was wrapped for another row.
    case damaged = "damaged key"
    /// The ciphertext was changed, or stands where it was not written.
    case notAuthentic = "not authentic"
    /// The store of keys could not be asked.
    case unavailable = "key store unavailable"

    /// Whether nothing that an operator does makes it readable again: an unknown key may be in another file of keys,
    /// and a damaged one in a backup.
    var isFinal: Bool {
        switch self {
        case .destroyed, .notAuthentic: true
        case .unknownKey, .damaged, .noKeyEncryptionKey, .unavailable: false
        }
    }
}
