/// An extension that knows clients. Asked for every request, on the event loop that reads it: it waits for nothing.
protocol Authenticator: Extension {
    /// - Returns: nil for somebody it does not know.
    func identify(_ credentials: Credentials) throws(NotReady) -> Identity?
}

/// It cannot be said yet who somebody is, who is told to come again, and is no stranger.
struct NotReady: Error {}

extension Authenticator {
    static var role: ExtensionRole { .authenticator }
}
