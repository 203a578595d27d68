import Glibc
import NIOHTTP1
import Testing

@testable import Weir

@Suite(.hangLimit) struct OperationsServerTests {
    private let health = Health(receivers: 1) { ["the journal is \"full\""] }
    private let log = LogCapture()
    private let metrics = MetricRegistry()

    @Test func saysWhetherWeirIsWellAndReady() async throws {
        try await serve(nil) { client in
            #expect(try await ask("GET /-/ready", client).status == 503)
            _ = health.receiverIsReady()
            let ready = try await ask("GET /-/ready", client)
            #expect(ready.status == 200)
            #expect(ready.body == #"{"status":"ready"}"# + "\n")
            let healthy = try await ask("GET /-/healthy", client)
            #expect(healthy.headers["content-type"] == "application/json")
            #expect(healthy.body == #"{"status":"degraded","complaints":["the journal is \"full\""]}"# + "\n")
        }
    }

    @Test func refusesWhatIsNotThere() async throws {
        try await serve(nil) { client in
            let missing = try await ask("GET /x", client)
            #expect(missing.status == 404)
            #expect(missing.body == #"{"error":"found path \"/x\", which is not there"}"# + "\n")
            let posted = try await ask("POST /-/ready", client)
            #expect(posted.status == 405)
            #expect(posted.headers["allow"] == "GET")
        }
    }

    @Test func whereNoKeyIsAskedForNoWebPageIsAnswered() async throws {
        try await serve(nil) { client async throws in
            #expect(try await ask("POST /change", client, "Origin: http://evil.example").status == 403)
            #expect(try await ask("POST /change", client, host: "evil.example:8889").status == 403)
            for host in ["localhost", "localhost:1", "127.0.0.1:8889", "[::1]:1", "[::1]"] {
                #expect(try await ask("POST /change", client, host: host).status == 200, "\(host)")
            }
        }
    }

    @Test func asksForTheScopeOfEachRoute() async throws {
        let sample = try APIKeysSample()
        let admin = APIKey.draw()
        try sample.write(APIKeysSample.entry("ops", [.admin, .read], of: admin))
        await sample.keys.start()
        defer { sample.keys.finish() }
        try await eventually("the key is known") { sample.tenant(of: admin) != nil }
        try await serve(sample.authentication()) { client in
            #expect(try await ask("GET /-/healthy", client).status == 200)
            #expect(try await ask("POST /change", client).status == 401)
            #expect(try await ask("GET /x", client).status == 401, "a stranger does not learn what is there")
            let changed = try await ask("POST /change", client, "X-API-Key: \(admin)")
            #expect(changed.status == 200)
            let fields = "X-API-Key: \(admin)\r\nOrigin: http://evil.example"
            #expect(try await ask("POST /change", client, fields).status == 403, "a browser adds what it knows")
            #expect(changed.body == #"{"by":"ops"}"# + "\n")
            #expect(try await ask("GET /x", client, "X-API-Key: \(admin)").status == 404)
        }
    }

    @Test func saysThatItsSocketIsGone() async throws {
        let log = LogCapture()
        let server = OperationsServer(
            HTTPListener(endpoint: Endpoint(host: "127.0.0.1", port: 0)), routes: [], metrics: metrics,
            logger: log.logger)
        let run = Task { try await server.run() }
        try await eventually("it listens") { !log.lines.isEmpty }
        let field = log.lines[0].split(separator: " ").first { $0.hasPrefix("endpoint=") }
        let port = try #require(field?.split(separator: ":").last.flatMap { UInt16($0) })
        let socket = try #require((0..<4_096).first { isListening($0, at: port) })
        // accept(2) fails from now on.
        shutdown(socket, Int32(SHUT_RDWR))
        await #expect(throws: ListenError.self) { try await run.value }
    }

    private func isListening(_ socket: Int32, at port: UInt16) -> Bool {
        var (listens, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        guard getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else { return false }
        var (address, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        return result == 0 && address.sin_port == port.bigEndian
    }

    @Test func tellsTheLogWhomItRefuses() async throws {
        let sample = try APIKeysSample()
        let key = APIKey.draw()
        try sample.write(APIKeysSample.entry("shop", [.read], of: key))
        await sample.keys.start()
        defer { sample.keys.finish() }
        try await eventually("the key is known") { sample.tenant(of: key) != nil }
        try await serve(sample.authentication()) { client in
            #expect(try await ask("GET /x", client, "X-API-Key: \(key)").status == 404)
            #expect(try await ask("GET /read?tenant=bank", client, "X-API-Key: \(key)").status == 403)
            #expect(try await ask("GET /read?tenant=shop", client, "X-API-Key: \(key)").status == 200)
            try await client.send("GET / HTTP/1.1\r\n\r\n")
            #expect(try await client.response().status == 400)
        }
        let who = "client=127.0.0.1"
        #expect(
            log.lines.filter { $0.contains("refused a request") } == [
                #"warning: refused a request \#(who) http_status=404 key=shop reason=found path "/x", "#
                    + "which is not there tenant=shop",
                "warning: refused a request \(who) http_status=403 key=shop reason=found another tenant than that of "
                    + "the key, wanted its own tenant=shop",
                "warning: refused a request \(who) http_status=400 reason=the request is not sound HTTP: found 0 "
                    + "Host fields, wanted one",
            ])
        #expect(metrics.render().contains("\nweir_foreign_tenant_requests 1\n"))
    }

    private func serve(_ authentication: HTTPAuthentication?, _ body: (RawClient) async throws -> Void) async throws {
        let read = OperationsRoute(method: .GET, path: "/read", scope: .read) { request in
            do throws(URLQuery.Problem) {
                var query = try URLQuery(of: request.head.uri)
                return HTTPResponse(.ok, json: try query.tenant(of: request.identity))
            } catch { return error.response }
        }
        let change = OperationsRoute(method: .POST, path: "/change", scope: .admin) { request in
            HTTPResponse(.ok, json: #"{"by":"\#(request.identity?.tenant ?? "")"}"#)
        }
        let server = OperationsServer(
            HTTPListener(
                endpoint: Endpoint(host: "127.0.0.1", port: 0), authentication: authentication, logger: log.logger),
            routes: OperationsRoute.health(health) + [change, read], metrics: metrics, logger: log.logger)
        let run = Task { try await server.run() }
        defer { run.cancel() }
        try await eventually("it listens") { !log.lines.isEmpty }
        let field = log.lines[0].split(separator: " ").first { $0.hasPrefix("endpoint=") }
        let port = try #require(field?.split(separator: ":").last.flatMap { Int($0) })
        try await body(try RawClient(port: port))
        run.cancel()
        try await run.value
    }

    private func ask(
        _ what: String, _ client: RawClient, _ field: String? = nil, host: String = "127.0.0.1"
    ) async throws -> RawClient.Response {
        let fields = field.map { $0 + "\r\n" } ?? ""
        try await client.send("\(what) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\n\(fields)\r\n")
        return try await client.response()
    }
}
