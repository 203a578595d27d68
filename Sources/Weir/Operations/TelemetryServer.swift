import Logging
import NIOCore
import NIOHTTP1

/// Serves what Weir says of itself: `/metrics`, `/healthz` and `/readyz`.
struct TelemetryServer: Sendable {
    private let server: HTTPServer
    private let logger: Logger

    init(_ listener: HTTPListener, metrics: MetricRegistry, health: Health, logger: Logger) {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 0
        limits.maxConnections = 64
        limits.drainTimeout = .seconds(1)
        server = HTTPServer(listener, limits: limits, loops: 1) {
            [isLocal = listener.authentication == nil && listener.endpoint.isLoopback] _ in
            TelemetryResponder(metrics, health, isLocal: isLocal)
        }
        self.logger = logger
    }

    /// Serves until the task is cancelled.
    func run(onListening: @escaping @Sendable () -> Void = {}) async throws {
        try await server.run { address in
            logger.info("listening", metadata: ["endpoint": "\(address)", "protocol": "prometheus"])
            onListening()
        }
    }

    /// Serves from now on as `next` would, which has the same endpoint.
    func become(_ next: TelemetryServer) async throws {
        try await server.become(next.server)
    }
}

private final class TelemetryResponder: HTTPResponder {
    private let metrics: MetricRegistry
    private let health: Health
    /// Whether only this machine asks, and nobody for a key.
    private let isLocal: Bool

    init(_ metrics: MetricRegistry, _ health: Health, isLocal: Bool) {
        self.metrics = metrics
        self.health = health
        self.isLocal = isLocal
    }

    /// Metrics are of all tenants, so a key that reads what belongs to one is not enough. Whoever starts and stops Weir
    /// asks for its health without a key.
    func scope(of head: HTTPRequestHead) -> Scope? { head.path == "/metrics" ? .admin : nil }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        if isLocal, let reason = head.foreignHost { return Self.refuse(.forbidden, reason) }
        guard ["/metrics", "/healthz", "/readyz"].contains(head.path) else {
            return Self.refuse(
                .notFound, "found path \(String(head.path).quotedForMessage), wanted /metrics, /healthz or /readyz")
        }
        guard head.method == .GET || head.method == .HEAD else {
            var response = Self.refuse(.methodNotAllowed, "found method \(head.method), wanted GET or HEAD")
            response.headers.append(("Allow", "GET, HEAD"))
            return response
        }
        return nil
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        switch request.path {
        case "/metrics":
            return HTTPResponse(
                .ok, contentType: PrometheusText.contentType, body: ByteBuffer(string: metrics.render()))
        case "/readyz":
            let phase = health.phase
            if phase == .ready, let refusal = health.refusal {
                return HTTPResponse(.serviceUnavailable, text: "\(refusal)\n")
            }
            return HTTPResponse(phase == .ready ? .ok : .serviceUnavailable, text: "\(phase.rawValue)\n")
        default:
            // Still 200: to be started again would help nothing of what is told here.
            let complaints = health.complaints
            return HTTPResponse(.ok, text: complaints.isEmpty ? "ok\n" : "degraded\n" + complaints.lines)
        }
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        fault.response(Self.refuse)
    }

    private static func refuse(_ status: HTTPResponseStatus, _ reason: String) -> HTTPResponse {
        HTTPResponse(status, text: reason + "\n").refusing(reason)
    }
}

extension [String] {
    fileprivate var lines: String { map { $0 + "\n" }.joined() }
}
