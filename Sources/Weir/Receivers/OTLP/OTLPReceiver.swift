import Logging

/// OTLP over HTTP, `POST /v1/traces` with protobuf and JSON on one port (OTLP specification 1.11, "OTLP/HTTP"), and
/// over gRPC ("OTLP/gRPC").
final class OTLPReceiver: Receiver {
    static let type = "otlp"
    static let help = "Takes spans over OTLP/HTTP, as protobuf and as JSON, and over OTLP/gRPC."

    struct Configuration: Configurable {
        /// Nil where only gRPC is served.
        let http: OTLPHTTPConfiguration?
        let grpc: OTLPGRPCConfiguration?
        /// Nil where tenants may send what they like.
        let quotas: QuotaConfiguration?

        var namedTenants: Set<String> { quotas?.namedTenants ?? [] }

        init(_ fields: inout Fields) throws(ConfigError) {
            (http, grpc) = fields.section("protocols", "The protocols that are served; without, http.") { fields in
                let isOnlyGRPC = fields.node("grpc") != nil && fields.node("http") == nil
                let http =
                    isOnlyGRPC
                    ? fields.optionalSection("http", "OTLP/HTTP.", OTLPHTTPConfiguration.init)
                    : fields.section("http", "OTLP/HTTP.", OTLPHTTPConfiguration.init)
                return (http, fields.optionalSection("grpc", "OTLP/gRPC.", OTLPGRPCConfiguration.init))
            }
            quotas = fields.optionalSection(
                "quotas", "What tenants may send in a second; more is answered 429. Without, what they like.",
                QuotaConfiguration.init)
        }
    }

    private let configuration: Configuration
    private let listeners: [OTLPServers.Kind: HTTPListener]
    private let quotas: Quotas?
    private let context: Context
    private let servers = OTLPServers()

    init(_ configuration: Configuration, _ context: Context) throws {
        self.configuration = configuration
        self.context = context
        quotas = configuration.quotas.map { Quotas($0, context) }
        var listeners: [OTLPServers.Kind: HTTPListener] = [:]
        if let http = configuration.http {
            var listener = try HTTPListener(http.listener, context)
            listener.cors = http.cors.map { HTTPCORS($0) }
            listeners[.http] = listener
        }
        listeners[.grpc] = try configuration.grpc.map { try HTTPListener($0.listener, context, versions: .two) }
        self.listeners = listeners
    }

    func run(into routes: Routes, onReady: @escaping @Sendable () -> Void) async throws {
        for kind in OTLPServers.Kind.allCases {
            ReceiverTelemetry.observe(context, transport: kind.rawValue) { [weak servers] in servers?.server(kind) }
        }
        try await serve(makeServers(into: routes))
        onReady()
        let failure = await servers.failures.first { _ in true }
        await servers.stop()
        if let failure { throw failure }
    }

    func become(_ next: any Receiver, into routes: Routes) async throws -> Bool {
        guard let next = next as? OTLPReceiver else { return false }
        try await serve(next.makeServers(into: routes))
        return true
    }

    private func serve(_ wanted: [OTLPServers.Kind: (endpoint: Endpoint, server: HTTPServer)]) async throws {
        try await servers.apply(wanted) { [context] kind, address in
            context.logger.info("listening", metadata: ["endpoint": "\(address)", "protocol": "otlp/\(kind.rawValue)"])
        }
    }

    private func makeServers(
        into routes: Routes
    ) -> [OTLPServers.Kind: (endpoint: Endpoint, server: HTTPServer)] {
        var servers: [OTLPServers.Kind: (endpoint: Endpoint, server: HTTPServer)] = [:]
        if let http = configuration.http, let listener = listeners[.http] {
            let telemetry = ReceiverTelemetry(context, transport: "http")
            let server = HTTPServer(listener, limits: http.limits.http) { [quotas] _ in
                try OTLPResponder(http, try Intake(into: routes, http.limits, quotas), telemetry)
            }
            servers[.http] = (listener.endpoint, server)
        }
        if let grpc = configuration.grpc, let listener = listeners[.grpc] {
            let telemetry = ReceiverTelemetry(
                context, transport: "grpc", statusLabel: "grpc_status", statuses: OTLPGRPCResponder.statuses)
            let server = HTTPServer(listener, limits: grpc.limits.http) { [quotas] _ in
                try OTLPGRPCResponder(grpc.limits, try Intake(into: routes, grpc.limits, quotas), telemetry)
            }
            servers[.grpc] = (listener.endpoint, server)
        }
        return servers
    }
}
