import NIOCore
import Testing

@testable import Weir

@Suite struct HTTPClientTests {
    @Test func postsAndReturnsTheAnswer() async throws {
        let answer = HTTPResponse(.accepted, contentType: "text/x", body: ByteBuffer(string: "taken"))
        try await ScriptedServer.serve(answer.retry(after: .seconds(7))) { server in
            let client = try HTTPClient(tls: nil)
            let url = try HTTPURL(parsing: server.url + "/a/b")
            let answer = try await client.post([1, 2, 3], to: url, headers: [("X-One", "1")], limit: 100)
            #expect(answer.status == 202)
            #expect(answer.contentType == "text/x")
            #expect(answer.retryAfter == "7")
            #expect(answer.body == Array("taken".utf8))
            let request = try #require(server.requests.first)
            #expect(request.path == "/a/b")
            #expect(request.body == [1, 2, 3])
            #expect(request.headers["x-one"] == "1")
            #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
            #expect(request.headers["content-length"] == "3")
            #expect(request.headers["accept-encoding"] == nil)
            await client.shutDown()
        }
    }

    @Test func keepsItsConnection() async throws {
        try await ScriptedServer.serve(HTTPResponse(.ok, text: "")) { server in
            let client = try HTTPClient(tls: nil)
            for _ in 0..<5 {
                _ = try await client.post([], to: try HTTPURL(parsing: server.url), headers: [], limit: 1)
                #expect(server.openConnections == 1)
            }
            await client.shutDown()
            try await eventually("the connection is closed") { server.openConnections == 0 }
        }
    }

    @Test func hasAConnectionForEachCallAtOnce() async throws {
        try await ScriptedServer.serve(nil) { server in
            let client = try HTTPClient(tls: nil)
            let url = try HTTPURL(parsing: server.url)
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { _ = try await client.post([], to: url, headers: [], limit: 1) } }
                try await eventually("all have come") { server.hanging == 20 }
                #expect(server.openConnections == 20)
                group.cancelAll()
                while let result = await group.nextResult() {
                    #expect(throws: HTTPFailure.self) { try result.get() }
                }
            }
            try await eventually("a cancelled call closes its connection") { server.openConnections == 0 }
        }
    }

    @Test func readsNoMoreThanTheLimit() async throws {
        let large = HTTPResponse(.ok, contentType: "", body: ByteBuffer(repeating: 0x61, count: 8 << 20))
        try await ScriptedServer.serve(large) { server in
            let client = try HTTPClient(tls: nil)
            let answer = try await client.post([], to: HTTPURL(parsing: server.url), headers: [], limit: 100_000)
            #expect(answer.body.count == 100_000)
            await client.shutDown()
        }
    }

    @Test func followsNoRedirect() async throws {
        var answer = HTTPResponse(.permanentRedirect, text: "")
        answer.headers.append(("Location", "/elsewhere"))
        try await ScriptedServer.serve(answer) { server in
            let client = try HTTPClient(tls: nil)
            let answer = try await client.post([], to: HTTPURL(parsing: server.url), headers: [], limit: 100)
            #expect(answer.status == 308)
            #expect(server.requests.count == 1)
        }
    }

    @Test func saysWhyThereIsNoAnswer() async throws {
        let client = try HTTPClient(tls: nil)
        let port = try await Self.closedPort()
        await expect("Connection refused", from: client, to: "http://127.0.0.1:\(port)")
        await expect("Connection refused", from: client, to: "http://localhost:\(port)")
        // No name has a part of 64 letters, so nobody is asked.
        let name = String(repeating: "x", count: 64)
        await expect("\(name):80: Name or service not known", from: client, to: "http://\(name)")
        await client.shutDown()
        await expect("already shutdown", from: client, to: "http://127.0.0.1:\(port)")
    }

    @Test(.hangLimit, arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"])
    func whoFallsSilentIsGivenUp(words: String) async throws {
        let server = try MuteServer(saying: words)
        let client = try HTTPClient(tls: nil)
        let url = try HTTPURL(parsing: "http://127.0.0.1:\(server.port)")
        let error = await #expect(throws: HTTPFailure.self) {
            try await client.get(url, headers: [], limit: 1_000, timeout: .milliseconds(50))
        }
        #expect(error?.description == "127.0.0.1:\(server.port): deadline exceeded")
        await client.shutDown()
        withExtendedLifetime(server) {}
    }

    @Test func saysThatAServerSpeaksNoTLS() async throws {
        try await ScriptedServer.serve(HTTPResponse(.ok, text: "")) { server in
            let client = try HTTPClient(tls: nil)
            await expect("WRONG_VERSION_NUMBER", from: client, to: "https://127.0.0.1:\(server.port)")
        }
    }

    @Test func readsTheFilesOfTLS() throws {
        let directory = try TemporaryDirectory()
        let missing = "\(directory.path)/none.pem"
        let ca = try #require(read(ClientTLS.self, "ca_file: \(missing)"))
        #expect(throws: TLSFileError.self) { try HTTPClient(tls: ca) }
        let pair = try #require(read(ClientTLS.self, "{ cert_file: \(missing), key_file: \(missing) }"))
        let error = #expect(throws: TLSFileError.self) { try HTTPClient(tls: pair) }
        #expect(error?.description == "cannot use \(missing), which is not there, wanted certificates in PEM")
        _ = try HTTPClient(tls: try #require(read(ClientTLS.self, "min_version: 1.3")))
    }

    private static func closedPort() async throws -> Int {
        var port = 0
        try await ScriptedServer.serve(nil) { port = $0.port }
        return port
    }

    private func expect(
        _ reason: String, from client: HTTPClient, to url: String, at location: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: HTTPFailure.self, sourceLocation: location) {
            try await client.post([], to: HTTPURL(parsing: url), headers: [], limit: 1)
        }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))", sourceLocation: location)
    }
}
