import Testing

@testable import Weir

/// What all connections of a server share, and how it stops.
@Suite(.hangLimit) struct HTTPServerTests {
    @Test func becomesAnotherWhileConnectionsStay() async throws {
        try await TestServer.serve { server in
            let (idle, busy) = (try server.connect(), try server.connect())
            try await idle.send("GET /echo HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await idle.response().status == 200)
            try await busy.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
            try await eventually("it is being answered") { server.gate.waitingCount == 1 }
            try await server.become(HTTPLimits(maxBodyBytes: 3))
            try await idle.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
            #expect(try await idle.response().status == 413, "the new limits hold")
            let fresh = try server.connect()
            try await fresh.send("GET /refused HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try await fresh.response().status == 403)
            server.gate.open()
            #expect(try await busy.response().status == 200, "what was being answered is answered")
        }
    }

    @Test func countsTheBytesOfAllConnectionsTogether() async throws {
        var limits = TestServer.patient
        limits.maxBytesInFlight = 10
        try await TestServer.serve(limits) { server in
            let first = try server.connect()
            try await first.send(post("/wait", "01234567"))
            try await eventually("it waits") { server.gate.waitingCount == 1 }
            #expect(server.bytesInUse == 8)
            let second = try server.connect()
            try await second.send(post("/echo", "012"))
            let refused = try await second.response()
            #expect(refused.status == 503)
            #expect(refused.body == "bytes")
            #expect(server.bytesInUse == 8)
            let third = try server.connect()
            try await third.send(post("/echo", "01"))
            #expect(try await third.response().status == 200)
            server.gate.open()
            #expect(try await first.response().status == 200)
            try await eventually("all is given back") { server.bytesInUse == 0 }
            let fourth = try server.connect()
            try await fourth.send(post("/echo", "0123456789"))
            #expect(try await fourth.response().status == 200)
        }
    }

    @Test func whoHangsUpDoesNotGiveBackWhatIsWorkedOn() async throws {
        try await TestServer.serve { server in
            let client = try server.connect()
            try await client.send(post("/wait", "01234567"))
            try await eventually("it waits") { server.gate.waitingCount == 1 }
            client.hangUp()
            try await eventually("the connection is gone") { server.openConnections == 0 }
            #expect(server.bytesInUse == 8)
            server.gate.open()
            try await eventually("all is given back") { server.bytesInUse == 0 }
        }
    }

    @Test func saysThatThereAreTooManyConnections() async throws {
        var limits = TestServer.patient
        limits.maxConnections = 1
        try await TestServer.serve(limits) { server in
            let first = try server.connect()
            try await first.send(post("/echo", "a"))
            #expect(try await first.response().status == 200)
            let second = try server.connect()
            try await second.send(post("/echo", "b"))
            let response = try await second.response()
            #expect(response.status == 503)
            #expect(response.body == "connections")
            try await second.waitForEnd()
            second.hangUp()
            try await first.send(post("/echo", "c"))
            #expect(try await first.response().body == "c")
            try await eventually("there is room again") { server.openConnections == 1 }
        }
    }

    @Test func closesConnectionsBeyondThoseItIsPoliteTo() async throws {
        var limits = TestServer.patient
        limits.maxConnections = 1
        try await TestServer.serve(limits) { server in
            let open = try (0..<1 + HTTPLimits.politeConnections).map { _ in try server.connect() }
            try await eventually("all are there") { server.openConnections == open.count }
            try await server.connect().waitForEnd()
            try await eventually("it is forgotten") { server.openConnections == open.count }
        }
    }

    @Test func answersWhatIsInFlightBeforeItStops() async throws {
        try await TestServer.serve { server in
            let (idle, busy) = (try server.connect(), try server.connect())
            let halfway = try server.connect()
            try await idle.send(post("/echo", "a"))
            #expect(try await idle.response().status == 200)
            try await busy.send(post("/wait", "b"))
            try await halfway.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1")
            try await eventually("both are there") { server.gate.waitingCount == 1 && server.bytesInUse == 2 }
            server.beginToStop()
            try await idle.waitForEnd()
            #expect(throws: RawClient.Failure.self) { try server.connect() }
            #expect(!server.hasStopped)
            server.gate.open()
            try await halfway.send("2")
            for (client, body) in [(busy, "b"), (halfway, "12")] {
                let response = try await client.response()
                #expect(response.body == body)
                #expect(response.headers["connection"] == "close")
                try await client.waitForEnd()
                client.hangUp()
            }
            try await server.stop()
        }
    }

    @Test func cutsWhatIsNotDoneWhenTheDrainTimeoutIsOver() async throws {
        var limits = TestServer.patient
        limits.drainTimeout = .milliseconds(50)
        try await TestServer.serve(limits) { server in
            let client = try server.connect()
            try await client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1")
            try await eventually("it is there") { server.bytesInUse == 1 }
            server.beginToStop()
            try await client.waitForEnd()
            try await server.stop()
        }
    }

    @Test func failsOnAnAddressThatIsTaken() async throws {
        try await TestServer.serve { server in
            let other = HTTPServer(
                HTTPListener(endpoint: Endpoint(host: "127.0.0.1", port: server.port)), limits: HTTPLimits()
            ) { _ in
                throw CancellationError()
            }
            await #expect(throws: (any Error).self) { try await other.run { _ in } }
        }
    }
}
