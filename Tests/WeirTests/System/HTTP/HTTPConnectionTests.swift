import Testing

@testable import Weir

/// What one connection does with requests, over real sockets.
@Suite(.hangLimit) struct HTTPConnectionTests {
    @Test func answersOneRequestAfterTheOtherOnOneConnection() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            for number in 1...5 {
                try await client.send(post("/echo", "number \(number)"))
                let response = try await client.response()
                #expect(response.status == 200)
                #expect(response.body == "number \(number)")
                #expect(response.headers["connection"] == nil)
                #expect(response.headers["content-type"] == "text/plain")
            }
        }
    }

    @Test func answersPipelinedRequestsInTheirOrder() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send(
                post("/wait", "first") + post("/echo", "second") + "GET /refused HTTP/1.1\r\nHost: h\r\n\r\n"
                    + post("/echo", "fourth"))
            try await eventually("the first one waits") { server.gate.waitingCount == 1 }
            server.gate.open()
            var bodies: [String] = []
            for _ in 1...4 { bodies.append(try await client.response().body) }
            #expect(bodies == ["first", "second", "refused", "fourth"])
        }
    }

    /// As Java's client asks with each connection that it opens. NIO would parse nothing that comes behind it.
    @Test func aRequestThatAsksForAnotherProtocolIsAnsweredAndTheLast() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\n\(upgrade)Content-Length: 2\r\n\r\nhi")
            let response = try await client.response()
            #expect(response.status == 200 && response.body == "hi")
            #expect(response.headers["connection"] == "close")
            try await client.waitForEnd()
        }
    }

    @Test func whatComesBehindSuchARequestIsNotKept() async throws {
        try await TestServer.serve { server in
            let piece = [UInt8](repeating: 0x78, count: 1 << 20)
            let client = try server.connect()
            try await client.send("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n")
            // More than the sockets between the two hold.
            await #expect(throws: RawClient.Failure.self) {
                for _ in 0..<256 { try await client.send(piece) }
            }
        }
    }

    @Test func readsARequestThatComesByteByByte() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            let chunked =
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            for byte in Array((post("/echo", "slow") + chunked).utf8) { try await client.send([byte]) }
            #expect(try await client.response().body == "slow")
            #expect(try await client.response().body == "abcde")
        }
    }

    @Test func answersHeadWithoutABody() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send("HEAD /large HTTP/1.1\r\nHost: h\r\n\r\n" + post("/echo", "next"))
            let response = try await client.response(toHead: true)
            #expect(response.status == 200)
            #expect(response.headers["content-length"] == "\(1 << 20)")
            #expect(try await client.response().body == "next")
        }
    }

    @Test func keepsAnHTTP10ConnectionOnlyWhereItIsAskedTo() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na")
            let kept = try await client.response()
            #expect(kept.body == "a")
            #expect(kept.headers["connection"]?.lowercased() == "keep-alive")
            try await client.send("POST /echo HTTP/1.0\r\nContent-Length: 1\r\n\r\nb")
            let last = try await client.response()
            #expect(last.body == "b")
            #expect(last.headers["connection"] == "close")
            try await client.waitForEnd()
        }
    }

    @Test func closesWhenTheClientAsksForIt() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try await client.response().headers["connection"] == "close")
            try await client.waitForEnd()
        }
    }

    @Test func tellsAClientThatWaitsForItToGoOn() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send(
                "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try await client.response().status == 100)
            try await client.send("body")
            let response = try await client.response()
            #expect(response.status == 200)
            #expect(response.body == "body")
        }
    }

    @Test func doesNotTellAClientToGoOnThatItRefuses() async throws {
        var limits = TestServer.patient
        limits.maxBodyBytes = 3
        try await TestServer.serve(limits) { server in
            for (path, length, status) in [("/refused", 3, 403), ("/echo", 4, 413)] {
                let client = try server.connect()
                try await client.send(
                    "POST \(path) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n")
                let response = try await client.response()
                #expect(response.status == status)
                #expect(response.headers["connection"] == "close")
            }
        }
    }

    @Test func letsAClientThatIsRefusedEarlyReadTheAnswer() async throws {
        var limits = TestServer.patient
        limits.maxBodyBytes = 1 << 20
        limits.maxBytesInFlight = 2 << 20
        try await TestServer.serve(limits) { server in
            let part = String(repeating: "x", count: 1 << 20)
            for isChunked in [false, true] {
                let client = try server.connect()
                let length = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(20 << 20)"
                try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\n\(length)\r\n\r\n")
                // All of it is sent before a byte is read, as simple clients do.
                for _ in 1...20 {
                    try await client.send(isChunked ? "100000\r\n\(part)\r\n" : part)
                }
                if isChunked { try await client.send("0\r\n\r\n") }
                let response = try await client.response()
                #expect(response.status == 413)
                #expect(response.body == "more than 1048576")
                #expect(response.headers["connection"] == "close")
                try await client.waitForEnd()
            }
        }
    }

    @Test func takesABodyOfExactlyTheLimit() async throws {
        var limits = TestServer.patient
        limits.maxBodyBytes = 10
        limits.maxBytesInFlight = 10
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            try await client.send(post("/echo", "0123456789"))
            #expect(try await client.response().status == 200)
            try await client.send(
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n0123456789A\r\n0\r\n\r\n")
            #expect(try await client.response().status == 413)
        }
    }

    @Test func goesOnAfterARefusalThatLeftNothingUnread() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send("GET /refused HTTP/1.1\r\nHost: h\r\n\r\n")
            let refused = try await client.response()
            #expect(refused.status == 403)
            #expect(refused.headers["connection"] == nil)
            try await client.send(post("/echo", "next"))
            #expect(try await client.response().body == "next")
        }
    }

    @Test func saysWhatIsNotHTTP() async throws {
        try await TestServer.serve { server in
            for request in [
                "hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /echo HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ] {
                let client = try server.connect()
                try await client.send(request)
                let response = try await client.response()
                #expect(response.status == 400, "\(request)")
                #expect(response.headers["connection"] == "close")
                try await client.waitForEnd()
            }
        }
    }

    @Test func refusesHeaderFieldsOfMoreThanTheLimit() async throws {
        try await TestServer.serve { server in
            let fields = [
                "X: " + String(repeating: "x", count: HTTPLimits.maxHeaderBytes + 1),
                (0..<2_000).map { "X-\($0): \(String(repeating: "x", count: 40))" }.joined(separator: "\r\n"),
            ]
            for field in fields {
                let client = try server.connect()
                try await client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n")
                #expect(try await client.response().status == 431)
                try await client.skipToEnd()
            }
            let client = try server.connect()
            let field = "X: " + String(repeating: "x", count: HTTPLimits.maxHeaderBytes - 100)
            try await client.send("GET /echo HTTP/1.1\r\nHost: h\r\n\(field)\r\n\r\n")
            #expect(try await client.response().status == 200)
        }
    }
}

/// A request with a body.
func post(_ path: String, _ body: String) -> String {
    "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
