/// The keys that every listener has: where it listens, and whom it lets in.
struct ListenerConfiguration: Sendable {
    let endpoint: Endpoint
    /// The extension that says who sends a request; nil where nobody is asked.
    let authenticator: ComponentID?
    /// Nil speaks in the clear.
    let tls: ListenerTLS?

    /// - Parameter mayBeOpen: whether `insecure: true` lets everybody in from other machines.
    init(_ fields: inout Fields, default: Endpoint, _ help: String, mayBeOpen: Bool = true) {
        endpoint = fields.endpoint("endpoint", default: `default`, help)
        fields.add(listener: endpoint)
        authenticator = fields.optionalSection("auth", "Whom the listener lets in; without, everybody.") { fields in
            fields.extensionID("authenticator", .authenticator, "The extension that knows the keys of clients.")
        }
        tls = fields.optionalSection("tls", "Speaks TLS; without, in the clear.", ListenerTLS.init)
        let isOpen =
            mayBeOpen
            && fields.bool(
                "insecure", default: false,
                "Lets everybody in from other machines, where the endpoint is no loopback address and auth is missing.")
        guard !endpoint.isLoopback, authenticator == nil, tls?.clientCAFile == nil else { return }
        if isOpen {
            fields.warn("insecure", "everybody who reaches \(endpoint) is let in")
        } else {
            let way = mayBeOpen ? "insecure: true where the network is trusted" : "a loopback address"
            fields.reject(
                "endpoint", "found \(endpoint) without authentication, wanted auth, tls.client_ca_file, or \(way)")
        }
    }
}
