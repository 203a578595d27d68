import Testing

@testable import Weir

/// What becomes of clients that are slow, or silent, or gone.
@Suite(.hangLimit) struct HTTPTimeoutTests {
    @Test func answersAHeadThatDoesNotComeInTime() async throws {
        var limits = TestServer.patient
        limits.readHeaderTimeout = .seconds(1)
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            try await client.send("POST /echo HT")
            let response = try await client.response()
            #expect(response.status == 408)
            #expect(response.body == "head")
            try await client.waitForEnd()
        }
    }

    /// The timer of the longer idle timeout must not hide the shorter one of the head.
    @Test func answersASecondHeadThatDoesNotComeInTime() async throws {
        var limits = TestServer.patient
        limits.readHeaderTimeout = .seconds(1)
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            // Busy past the first timer, which then waits for the idle timeout.
            let enough = ContinuousClock.now + limits.readHeaderTimeout * 2
            while ContinuousClock.now < enough {
                try await client.send(post("/echo", "a"))
                #expect(try await client.response().status == 200)
            }
            try await client.send("POST /echo HT")
            let response = try await client.response()
            #expect(response.status == 408)
            #expect(response.body == "head")
        }
    }

    @Test func closesAConnectionOnWhichNothingIsSaid() async throws {
        var limits = TestServer.patient
        limits.readHeaderTimeout = .seconds(1)
        try await TestServer.serve(limits) { server in
            try await server.connect().waitForEnd()
        }
    }

    @Test func answersABodyThatDoesNotComeInTime() async throws {
        var limits = TestServer.patient
        limits.readTimeout = .seconds(1)
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf")
            let response = try await client.response()
            #expect(response.status == 408)
            #expect(response.body == "body")
            #expect(server.bytesInUse == 0)
            // It is given as long again to notice.
            try await client.waitForEnd()
        }
    }

    /// Between requests the idle timeout holds, not that of a head: nothing of a head has come.
    @Test func closesAnIdleConnectionWithoutAWord() async throws {
        var limits = TestServer.patient
        limits.readHeaderTimeout = .seconds(1)
        limits.idleTimeout = .seconds(2)
        try await TestServer.serve(limits) { server in
            for request in [post("/echo", "a"), "GET /refused HTTP/1.1\r\nHost: h\r\n\r\n"] {
                let client = try server.connect()
                let start = ContinuousClock.now
                try await client.send(request)
                _ = try await client.response()
                try await client.waitForEnd()
                #expect(ContinuousClock.now - start >= limits.idleTimeout)
            }
        }
    }

    @Test func cutsAClientThatReadsNoAnswers() async throws {
        var limits = TestServer.patient
        limits.idleTimeout = .seconds(1)
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            let requests = String(repeating: "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", count: 100)
            try await client.send(requests)
            try await eventually("it answers") { server.answered.value > 0 }
            // It stops to answer when nobody reads, long before a hundred answers of a mebibyte.
            try await eventually("it is cut") { server.openConnections == 0 }
            #expect(server.answered.value < 50)
        }
    }

    @Test func givesBackTheBytesOfAClientThatIsGone() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n0123456789")
            try await eventually("its bytes are counted") { server.bytesInUse == 10 }
            client.hangUp()
            try await eventually("its bytes are given back") { server.bytesInUse == 0 }
        }
    }

    @Test func finishesARequestWhoseClientIsGone() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send(post("/wait", "0123456789"))
            try await eventually("it waits") { server.gate.waitingCount == 1 }
            #expect(server.bytesInUse == 10)
            client.hangUp()
            try await eventually("it is gone") { server.openConnections == 0 }
            server.gate.open()
            try await eventually("it is answered, to nobody") { server.answered.value == 1 }
            let next = try server.connect()
            try await next.send(post("/echo", "next"))
            #expect(try await next.response().body == "next")
        }
    }
}
