import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import Weir

/// A server on a free port that answers every request with the same words and keeps what it was sent.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        let path: String
        /// By lower-case name.
        let headers: [String: String]
        let body: [UInt8]
    }

    let port: Int
    private let server: HTTPServer
    private let script: Script

    private init(_ port: Int, _ server: HTTPServer, _ script: Script) {
        (self.port, self.server, self.script) = (port, server, script)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { script.requests.withLock { $0 } }
    var openConnections: Int { server.openConnections }
    /// Requests that wait for an answer which does not come.
    var hanging: Int { script.gate.waitingCount }

    /// From now on it answers so.
    func answer(_ answer: HTTPResponse) {
        script.answer.withLock { $0 = answer }
    }

    /// Serves while `body` runs.
    /// - Parameter answer: nil lets requests hang until the end.
    static func serve(_ answer: HTTPResponse?, _ body: (ScriptedServer) async throws -> Void) async throws {
        let script = Script(answer)
        let server = HTTPServer(
            HTTPListener(endpoint: Endpoint(host: "127.0.0.1", port: 0)), limits: TestServer.patient, loops: 1
        ) { _ in ScriptedResponder(script) }
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let run = Task {
            defer { continuation.finish() }
            try await server.run { continuation.yield($0.port) }
        }
        let port = try #require(await ports.first { _ in true })
        do {
            try await body(ScriptedServer(port, server, script))
        } catch {
            script.gate.open()
            run.cancel()
            throw error
        }
        script.gate.open()
        run.cancel()
        try await run.value
    }

    fileprivate final class Script: Sendable {
        let answer: Mutex<HTTPResponse?>
        let requests = Mutex<[Request]>([])
        let gate = Gate()

        init(_ answer: HTTPResponse?) {
            self.answer = Mutex(answer)
        }
    }
}

private final class ScriptedResponder: HTTPResponder {
    private let script: ScriptedServer.Script

    init(_ script: ScriptedServer.Script) {
        self.script = script
    }

    func scope(of head: HTTPRequestHead) -> Scope? { nil }

    func refusal(of head: HTTPRequestHead) -> HTTPResponse? { nil }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let headers = request.head.headers.map { ($0.name.lowercased(), $0.value) }
        let received = ScriptedServer.Request(
            path: String(request.path), headers: Dictionary(headers) { "\($0), \($1)" },
            body: Array(request.body.bytes))
        script.requests.withLock { $0.append(received) }
        if let answer = script.answer.withLock({ $0 }) { return answer }
        await script.gate.pass()
        return HTTPResponse(.ok, text: "late")
    }

    func response(to fault: HTTPFault, head: HTTPRequestHead?) -> HTTPResponse {
        HTTPResponse(.internalServerError, text: "\(fault)")
    }
}
