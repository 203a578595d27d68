import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import Weir

/// A server on a free port that echoes bodies, and the gate that holds answers to `/wait`.
final class TestServer: Sendable {
    let port: Int
    let gate: Gate
    /// Requests that the responder is done with.
    let answered: Counter
    private let server: HTTPServer
    private let run: Task<Void, any Error>
    private let hasReturned: Counter

    private init(
        port: Int, gate: Gate, answered: Counter, _ server: HTTPServer, _ run: Task<Void, any Error>,
        _ returned: Counter
    ) {
        (self.port, self.gate, self.answered, self.server, self.run) = (port, gate, answered, server, run)
        hasReturned = returned
    }

    var bytesInUse: Int { server.budget.inUse }
    var openConnections: Int { server.openConnections }
    var hasStopped: Bool { hasReturned.value > 0 }

    /// Tests run side by side, and clients wait for a processor longer than any real one.
    static var patient: HTTPLimits {
        var limits = HTTPLimits()
        limits.readHeaderTimeout = .seconds(300)
        limits.readTimeout = .seconds(300)
        limits.idleTimeout = .seconds(300)
        return limits
    }

    /// Serves while `body` runs. Afterwards the server has to stop by itself, with every byte of its budget given back.
    static func serve(
        _ limits: HTTPLimits = TestServer.patient, authentication: HTTPAuthentication? = nil,
        tls: ServerTLS? = nil,
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let (gate, answered, returned) = (Gate(), Counter(), Counter())
        let listener = HTTPListener(
            endpoint: Endpoint(host: "127.0.0.1", port: 0), authentication: authentication, tls: tls)
        let server = HTTPServer(listener, limits: limits, loops: 2) { _ in EchoResponder(gate, answered) }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let run = Task {
            defer {
                returned.add()
                continuation.finish()
            }
            try await server.run { continuation.yield($0.port) }
        }
        let port = try #require(await ports.first { _ in true })
        let running = TestServer(port: port, gate: gate, answered: answered, server, run, returned)
        do {
            try await body(running)
        } catch {
            gate.open()
            run.cancel()
            throw error
        }
        gate.open()
        try await running.stop()
        #expect(server.budget.inUse == 0)
    }

    func connect() throws -> RawClient {
        try RawClient(port: port)
    }

    func become(_ limits: HTTPLimits) async throws {
        let listener = HTTPListener(endpoint: Endpoint(host: "127.0.0.1", port: 0))
        let other = HTTPServer(listener, limits: limits) { [gate, answered] _ in EchoResponder(gate, answered) }
        try await server.become(other)
    }

    func beginToStop() {
        run.cancel()
    }

    func stop() async throws {
        run.cancel()
        try await run.value
    }
}

/// `/echo` answers with the body, `/wait` does so once the gate is open, `/large` answers with much, `/refused` not at
/// all.
private final class EchoResponder: HTTPResponder {
    private let gate: Gate
    private let answered: Counter

    init(_ gate: Gate, _ answered: Counter) {
        self.gate = gate
        self.answered = answered
    }

    func scope(of head: HTTPRequestHead) -> Scope? { head.path == "/open" ? nil : .ingest }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? {
        head.path == "/refused" ? HTTPResponse(.forbidden, text: "refused") : nil
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.path == "/wait" { await gate.pass() }
        defer { answered.add() }
        if request.path == "/large" {
            return HTTPResponse(.ok, contentType: "text/plain", body: ByteBuffer(repeating: 0x61, count: 1 << 20))
        }
        return HTTPResponse(.ok, contentType: "text/plain", body: ByteBuffer(bytes: request.body.bytes))
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        switch fault {
        case .unauthenticated(let reason): HTTPResponse(.unauthorized, text: reason)
        case .forbidden(let reason): HTTPResponse(.forbidden, text: reason)
        case .tooManyFailures(let pause): HTTPResponse(.tooManyRequests, text: "keys").retry(after: pause)
        case .malformed: HTTPResponse(.badRequest, text: "malformed")
        case .headersTooLarge: HTTPResponse(.requestHeaderFieldsTooLarge, text: "headers")
        case .bodyTooLarge(let limit): HTTPResponse(.payloadTooLarge, text: "more than \(limit)")
        case .headerTimeout: HTTPResponse(.requestTimeout, text: "head")
        case .bodyTimeout: HTTPResponse(.requestTimeout, text: "body")
        case .tooManyConnections: HTTPResponse(.serviceUnavailable, text: "connections")
        case .tooManyBytesInFlight: HTTPResponse(.serviceUnavailable, text: "bytes")
        case .notReady: HTTPResponse(.serviceUnavailable, text: "keys are not known yet")
        case .stopping: HTTPResponse(.serviceUnavailable, text: "stopping")
        }
    }
}
