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
}
