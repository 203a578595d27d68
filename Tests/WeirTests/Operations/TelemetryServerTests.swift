import Testing

@testable import Weir

@Suite(.hangLimit) struct TelemetryServerTests {
    @Test func showsTheMetrics() async throws {
        try await serve { client, metrics, _ in
            metrics.counter("weir_test_spans", help: "Spans of a test.").add(3)
            let response = try await get("/metrics", client)
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == PrometheusText.contentType)
            #expect(response.body.contains("\nweir_test_spans 3\n"))
            #expect(try await get("/metrics?name=x", client).status == 200)
        }
    }

    @Test func saysWhetherWeirTakesRequests() async throws {
        try await serve { client, _, health in
            for (status, body) in [(503, "starting\n"), (200, "ready\n"), (503, "stopping\n")] {
                let ready = try await get("/readyz", client)
                #expect(ready.status == status)
                #expect(ready.body == body)
                let alive = try await get("/healthz", client)
                #expect(alive.status == 200)
                #expect(alive.body == "ok\n")
                if health.phase == .starting { _ = health.receiverIsReady() } else { health.stop() }
            }
        }
    }

    @Test func refusesWhatIsNotThere() async throws {
        try await serve { client, _, _ in
            let missing = try await get("/", client)
            #expect(missing.status == 404)
            #expect(missing.body == "found path \"/\", wanted /metrics, /healthz or /readyz\n")
            try await client.send("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            let posted = try await client.response()
            #expect(posted.status == 405)
            #expect(posted.headers["allow"] == "GET, HEAD")
            try await client.send("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await client.response(toHead: true).status == 200)
            try await client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
            let withBody = try await client.response()
            #expect(withBody.status == 413)
            try await client.waitForEnd()
        }
    }

    @Test func aPageUnderAnotherNameReadsNothing() async throws {
        try await serve { client, _, _ in
            for path in ["/metrics", "/healthz", "/readyz"] {
                try await client.send("GET \(path) HTTP/1.1\r\nHost: evil.test\r\n\r\n")
                let response = try await client.response()
                #expect(response.status == 403)
                #expect(response.body == "found the host \"evil.test\", wanted localhost or a loopback address\n")
            }
            for host in ["127.0.0.1:8888", "localhost", "[::1]:1"] {
                try await client.send("GET /readyz HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try await client.response().status == 503)
            }
        }
    }

    /// Serves on a free port while `body` runs, which finds the port where people find it: in the log.
    private func serve(_ body: (RawClient, MetricRegistry, Health) async throws -> Void) async throws {
        let (log, metrics, health) = (LogCapture(), MetricRegistry(), Health(receivers: 1))
        let server = TelemetryServer(
            HTTPListener(endpoint: Endpoint(host: "127.0.0.1", port: 0)), metrics: metrics, health: health,
            logger: log.logger)
        let run = Task { try await server.run() }
        defer { run.cancel() }
        try await eventually("it listens") { !log.lines.isEmpty }
        let line = log.lines[0]
        let port = try #require(
            line.split(separator: " ").first { $0.hasPrefix("endpoint=") }?.split(separator: ":").last)
        #expect(line == "info: listening endpoint=127.0.0.1:\(port) protocol=prometheus")
        try await body(try RawClient(port: try #require(Int(port))), metrics, health)
        run.cancel()
        try await run.value
    }

    private func get(_ path: String, _ client: RawClient) async throws -> RawClient.Response {
        try await client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try await client.response()
    }
}
