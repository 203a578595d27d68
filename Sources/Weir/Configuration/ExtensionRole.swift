/// What an extension is for those that name it.
enum ExtensionRole: String, Sendable {
    /// Says who sends a request.
    case authenticator
    /// Has keys to encrypt with.
    case keystore
}
