/// An extension that knows clients. Asked for every request, on the event loop that reads it: it waits for nothing.
protocol Authenticator: Extension {
    /// - Returns: nil for somebody it does not know.
    func identify(_ credentials: Credentials) -> Identity?
}

extension Authenticator {
    static var role: ExtensionRole { .authenticator }
}
