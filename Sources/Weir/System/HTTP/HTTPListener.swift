import Logging

/// Where an HTTP server listens, and whom it lets in.
struct HTTPListener: Sendable {
    let endpoint: Endpoint
    /// Nil lets everybody in.
    var authentication: HTTPAuthentication?
    /// Nil speaks in the clear.
    var tls: ServerTLS?
    /// Nil for a listener that no page has to do with.
    var cors: HTTPCORS?
    var versions = HTTPVersions.one
    /// Is told of every request that is refused; nil for one that nobody listens to.
    var logger: Logger?
}

extension HTTPListener {
    init(_ configuration: ListenerConfiguration, _ context: Context, versions: HTTPVersions = .oneOrTwo) throws {
        endpoint = configuration.endpoint
        authentication = try HTTPAuthentication(configuration, context)
        tls = try configuration.tls.map { try ServerTLS($0, context, versions) }
        self.versions = versions
        logger = context.logger
    }
}

/// The versions of HTTP that a listener speaks.
enum HTTPVersions: Sendable {
    case one
    /// As the client wants it who speaks TLS, RFC 7301; the others get HTTP/1.1.
    case oneOrTwo
    /// In the clear too, where the client knows ("prior knowledge", RFC 9113 3.3).
    case two

    /// What TLS offers, the best first.
    var applicationProtocols: [String] {
        switch self {
        case .one: ["http/1.1"]
        case .oneOrTwo: ["h2", "http/1.1"]
        case .two: ["h2"]
        }
    }
}
