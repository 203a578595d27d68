/// An extension that knows clients. Asked for every request, on the event loop that reads it: it waits for nothing.
protocol Authenticator: Extension {
    /// - Returns: nil for somebody it does not know.
    func identify(_ credentials: Credentials) -> Identity?
    /// Whether it knows anybody yet. While it does not, who asks is told to come again, and is not a stranger.
    var isReady: Bool { get }
}

extension Authenticator {
    static var role: ExtensionRole { .authenticator }

    var isReady: Bool { true }
}
