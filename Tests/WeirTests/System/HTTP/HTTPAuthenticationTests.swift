import Foundation
import NIOHTTP1
import Testing

@testable import Weir

@Suite(.hangLimit) struct HTTPAuthenticationTests {
    private func request(_ fields: String...) -> String {
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n" + fields.map { "\($0)\r\n" }.joined() + "\r\nok"
    }

    private func basic(_ pair: String) -> String { "Authorization: Basic " + Data(pair.utf8).base64EncodedString() }

    @Test func takesAKeyAsBearerTokenBasicPasswordOrHeader() async throws {
        let sample = try APIKeysSample()
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            let key = sample.secret
            for field in [
                "Authorization: Bearer \(key)", "authorization: bearer  \(key)", basic("shop:\(key)"), basic(":\(key)"),
                "X-API-Key: \(key)", "x-api-key: \(key)",
            ] {
                try await client.send(request(field))
                let response = try await client.response()
                #expect(response.status == 200, "\(field)")
                #expect(response.body == "ok")
            }
        }
    }

    @Test func answers401WithAChallengeAndKeepsTheConnection() async throws {
        let sample = try APIKeysSample()
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            let key = sample.secret
            for fields in [
                [], ["Authorization: Bearer"], ["Authorization: Bearer \(key)x"], ["Authorization: Digest \(key)"],
                ["Authorization: Basic \(key)"], [basic(key)], [basic("\(key):shop")], ["X-API-Key: "],
                ["X-API-Key: \(key)", "X-API-Key: \(key)"],
                ["Authorization: Bearer a", "Authorization: Bearer \(key)"],
                ["Authorization: Bearer \(String(repeating: "k", count: 5_000))", "X-API-Key: \(key)"],
            ] {
                try await client.send(
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n" + fields.map { "\($0)\r\n" }.joined()
                        + "\r\nok")
                let response = try await client.response()
                #expect(response.status == 401, "\(fields)")
                #expect(response.headers["www-authenticate"]?.hasSuffix(#"realm="weir""#) == true)
            }
            try await client.send(request("Origin: https://app.example.com"))
            let challenge = try await client.response().headers["www-authenticate"]
            #expect(challenge == #"Bearer realm="weir""#, "a browser asks its user for nothing")
            #expect(server.answered.value == 0, "the responder saw none of them")
            try await client.send(request("X-API-Key: \(key)"))
            #expect(try await client.response().status == 200)
        }
        #expect(!sample.log.lines.contains { $0.contains(sample.secret) }, "no key is in the log")
    }

    @Test func answers403ToAKeyWithoutTheScope() async throws {
        let sample = try APIKeysSample()
        let reader = APIKey.draw()
        try sample.write(APIKeysSample.entry("shop", [.read], of: reader))
        await sample.keys.start()
        defer { sample.keys.finish() }
        try await eventually("the key is known") { sample.tenant(of: reader) != nil }
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            try await client.send(request("X-API-Key: \(reader)"))
            #expect(try await client.response().status == 403)
        }
        #expect(
            sample.log.lines.contains { $0.contains("the key lacks the scope ingest") && $0.contains("tenant=shop") })
    }

    @Test func slowsDownWhoTriesKeysButNotWhoHasOne() async throws {
        let sample = try APIKeysSample()
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            var statuses: [Int] = []
            let attempts = 0..<FailureLimiter.allowed + 5
            // At once: on a busy machine one behind the other's answer takes more than the window.
            try await client.send(attempts.map { request("X-API-Key: wrong-\($0)") }.joined())
            for _ in attempts {
                let response = try await client.response()
                statuses.append(response.status)
                if response.status == 429 { #expect(response.headers["retry-after"] != nil) }
            }
            #expect(statuses.count { $0 == 401 } == FailureLimiter.allowed)
            #expect(statuses.suffix(5) == [429, 429, 429, 429, 429])
            try await client.send(request("X-API-Key: \(sample.secret)"))
            #expect(try await client.response().status == 200)
        }
        let lines = sample.log.lines.filter { $0.contains("refused a client") }
        #expect(lines.count == FailureLimiter.allowed)
        #expect(!lines.contains { $0.contains("wrong-") })
    }

    @Test func whatNeedsNoScopeIsOpen() async throws {
        let sample = try APIKeysSample()
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            try await client.send("GET /open HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await client.response().status == 200)
        }
    }

    @Test func aLargeBodyOfAStrangerIsNotRead() async throws {
        let sample = try APIKeysSample()
        try await TestServer.serve(authentication: sample.authentication()) { server in
            let client = try server.connect()
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n")
            #expect(try await client.response().status == 401)
            #expect(server.bytesInUse == 0)
            try await client.skipToEnd()
        }
    }
}
