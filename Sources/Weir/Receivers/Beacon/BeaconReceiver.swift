import Logging
import Synchronization

/// Takes what web pages send with `navigator.sendBeacon`: `POST /v1/beacon/KEY`, with the public key of a tenant in the
/// path, because a beacon has no header fields.
final class BeaconReceiver: Receiver {
    static let type = "beacon"
    static let help = "Takes events and spans of web pages, and serves the script that sends them."

    typealias Configuration = BeaconConfiguration

    private let configuration: BeaconConfiguration
    private let listener: HTTPListener
    private let admission: BeaconAdmission
    private let quotas: Quotas?
    private let telemetry: BeaconTelemetry
    private let context: Context
    /// Set while it runs.
    private let running = Mutex<HTTPServer?>(nil)

    init(_ configuration: BeaconConfiguration, _ context: Context) throws {
        self.configuration = configuration
        self.context = context
        var listener = try HTTPListener(configuration.listener, context)
        listener.cors = HTTPCORS(configuration.origins, methods: "POST, GET")
        self.listener = listener
        admission = BeaconAdmission(configuration)
        quotas = configuration.quotas.map { Quotas($0, context) }
        telemetry = BeaconTelemetry(context)
    }

    func run(into routes: Routes, onReady: @escaping @Sendable () -> Void) async throws {
        ReceiverTelemetry.observe(context, transport: "http") { [weak self] in self?.running.withLock { $0 } }
        let server = makeServer(into: routes)
        running.withLock { $0 = server }
        defer { running.withLock { $0 = nil } }
        try await server.run { address in
            context.logger.info("listening", metadata: ["endpoint": "\(address)", "protocol": "beacon"])
            onReady()
        }
    }

    func become(_ next: any Receiver, into routes: Routes) async throws -> Bool {
        guard let next = next as? BeaconReceiver, next.listener.endpoint == listener.endpoint,
            let server = running.withLock({ $0 })
        else { return false }
        try await server.become(next.makeServer(into: routes))
        return true
    }

    private func makeServer(into routes: Routes) -> HTTPServer {
        HTTPServer(listener, limits: configuration.limits) { [configuration, admission, quotas, telemetry] _ in
            // A body of the largest size becomes a few times as much.
            let intake = try Intake(
                into: routes, maxValueDepth: 64, decodedLimit: 64 << 20, quotas: quotas)
            return BeaconResponder(configuration, admission, intake, telemetry)
        }
    }
}
