import Logging
import NIOCore
import Synchronization

/// OTLP over HTTP: `POST /v1/traces`, protobuf and JSON on one port (OTLP specification 1.11, "OTLP/HTTP").
final class OTLPReceiver: Receiver {
    static let type = "otlp"
    static let help = "Takes spans over OTLP/HTTP, as protobuf and as JSON."

    struct Configuration: Configurable {
        let http: OTLPHTTPConfiguration
        /// Nil where tenants may send what they like.
        let quotas: QuotaConfiguration?

        init(_ fields: inout Fields) throws(ConfigError) {
            http = fields.section("protocols", "The protocols that are served.") { fields in
                fields.section("http", "OTLP/HTTP.", OTLPHTTPConfiguration.init)
            }
            quotas = fields.optionalSection(
                "quotas", "What tenants may send in a second; more is answered 429. Without, what they like.",
                QuotaConfiguration.init)
        }
    }

    private let configuration: OTLPHTTPConfiguration
    private let listener: HTTPListener
    private let quotas: Quotas?
    private let context: Context
    /// Set while it runs.
    private let running = Mutex<HTTPServer?>(nil)

    init(_ configuration: Configuration, _ context: Context) throws {
        self.configuration = configuration.http
        self.context = context
        quotas = configuration.quotas.map { Quotas($0, context) }
        var listener = try HTTPListener(configuration.http.listener, context)
        listener.cors = configuration.http.cors.map { HTTPCORS($0) }
        self.listener = listener
    }

    func run(into pipelines: [Pipeline], onReady: @escaping @Sendable () -> Void) async throws {
        let server = makeServer(into: pipelines)
        running.withLock { $0 = server }
        defer { running.withLock { $0 = nil } }
        context.metrics.observe(
            "weir_receiver_in_flight_bytes", kind: .gauge, help: "Bytes of requests that are being read or worked on.",
            labels: ["receiver": context.id.description]
        ) { [budget = server.budget] in Double(budget.inUse) }
        context.metrics.observe(
            "weir_receiver_open_connections", kind: .gauge, help: "Connections that are open, those being refused too.",
            labels: ["receiver": context.id.description]
        ) { [weak server] in server.map { Double($0.openConnections) } }
        try await server.run { address in
            context.logger.info("listening", metadata: ["endpoint": "\(address)", "protocol": "otlp/http"])
            onReady()
        }
    }

    func become(_ next: any Receiver, into pipelines: [Pipeline]) async throws -> Bool {
        guard let next = next as? OTLPReceiver, next.listener.endpoint == listener.endpoint,
            let server = running.withLock({ $0 })
        else { return false }
        try await server.become(next.makeServer(into: pipelines))
        return true
    }

    private func makeServer(into pipelines: [Pipeline]) -> HTTPServer {
        let telemetry = ReceiverTelemetry(context, transport: "http")
        return HTTPServer(listener, limits: configuration.limits) { [configuration, quotas] _ in
            try OTLPResponder(configuration, try Intake(into: pipelines, configuration, quotas), telemetry)
        }
    }
}

/// `protocols.http` of the receiver. Names as in the OpenTelemetry Collector where it has the same.
struct OTLPHTTPConfiguration: Sendable {
    let listener: ListenerConfiguration
    /// Which web pages may send; nil where none may.
    let cors: CORSConfiguration?
    let tracesPath: String
    let limits: HTTPLimits
    let maxValueDepth: Int
    /// What the records of one request may take, in memory.
    let maxDecodedBytes: Int
    /// What a client is told that comes when there is no room.
    let retryAfter: Duration

    init(_ fields: inout Fields) {
        listener = ListenerConfiguration(
            &fields, default: Endpoint(host: "127.0.0.1", port: 4318), "Where spans are taken.")
        cors = fields.optionalSection(
            "cors", "Which web pages may send spans; without, none.", CORSConfiguration.init)
        tracesPath = fields.string("traces_url_path", default: "/v1/traces", "The path that takes traces.")
        limits = fields.httpLimits(body: .mebibytes(64), mostBody: .mebibytes(64))
        maxValueDepth = fields.int(
            "max_value_depth", default: 64, in: 1...200,
            "How deep an attribute value may be nested; a span with a deeper one is rejected.")
        maxDecodedBytes =
            fields.bytes(
                "max_decoded_size", default: .mebibytes(128), in: .mebibytes(1)...(.gibibytes(1)),
                "Memory for each kind of record that one request decodes to; one that needs more is answered 413."
            ).bytes
        retryAfter = fields.duration(
            "retry_after", default: .seconds(1), in: .seconds(1)...(.seconds(3600)),
            "What Retry-After says when there is no room.")
        if !tracesPath.hasPrefix("/") {
            fields.reject("traces_url_path", "found \"\(tracesPath)\", wanted a path that starts with /")
        }
    }
}

extension Intake {
    fileprivate init(
        into pipelines: [Pipeline], _ configuration: OTLPHTTPConfiguration, _ quotas: Quotas?
    ) throws {
        try self.init(
            into: pipelines, maxValueDepth: configuration.maxValueDepth, decodedLimit: configuration.maxDecodedBytes,
            quotas: quotas)
    }
}
