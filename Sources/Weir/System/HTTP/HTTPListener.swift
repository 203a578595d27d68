/// Where an HTTP server listens, and whom it lets in.
struct HTTPListener: Sendable {
    let endpoint: Endpoint
    /// Nil lets everybody in.
    var authentication: HTTPAuthentication?
    /// Nil speaks in the clear.
    var tls: ServerTLS?
    /// Nil for a listener that no page has to do with.
    var cors: HTTPCORS?
}

extension HTTPListener {
    init(_ configuration: ListenerConfiguration, _ context: Context) throws {
        endpoint = configuration.endpoint
        authentication = try HTTPAuthentication(configuration, context)
        tls = try configuration.tls.map { try ServerTLS($0, context) }
    }
}
