import NIOCore
import Testing

@testable import Weir

/// What can be seen of the exporter from inside; `Tests/SystemTests/test_langsmith.py` has the rest.
@Suite struct LangSmithExporterTests {
    private let clock = TestClock()
    private let metrics = MetricRegistry()
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func exporter(_ url: String, _ keys: String = "") throws -> LangSmithExporter {
        let text = "endpoint: \(url)\napi_key: lsv2_pt_key\ndirectory: \(directory.path)\n\(keys)"
        let configuration = try #require(read(LangSmithConfiguration.self, text))
        let context = Context(id: ComponentID(type: "langsmith"), logger: LogCapture().logger, metrics: metrics)
        return try LangSmithExporter(configuration, context, clock: { [clock] in clock.now })
    }

    private func counter(_ name: String) -> Int {
        metrics.counter("weir_langsmith_\(name)", help: "", labels: ["exporter": "langsmith"]).value
    }

    private var held: Double {
        metrics.gauge("weir_langsmith_held_spans", help: "", labels: ["exporter": "langsmith"]).value
    }

    private static func batch(_ spans: SpanFixture..., sequence: UInt64 = 1, tenant: String = "default") -> FrozenBatch
    {
        batch(of: spans, sequence: sequence, tenant: tenant)
    }

    private static func batch(of spans: [SpanFixture], sequence: UInt64, tenant: String = "default") -> FrozenBatch {
        FrozenBatch(records: [
            JournalRecord(
                sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: 0), spanCount: spans.count,
                payload: SpanFixture.request(spans))
        ])
    }

    private static var child: SpanFixture {
        var span = SpanFixture()
        (span.spanID, span.parentSpanID, span.kind) = (2, 1, 1)
        return span
    }

    private static func posts(_ server: ScriptedServer) -> [ScriptedServer.Request] {
        server.requests.filter { $0.path != "/info" }
    }

    @Test func aChildWaitsForItsParentAndNotLongerThanTheGrace() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let exporter = try exporter(server.url, "trace_grace: 30s")
            let waiting = Task { try await exporter.export(Self.batch(Self.child)) }
            try await eventually("it waits") { held == 1 }
            clock.advance(seconds: 29)
            await exporter.tick(at: clock.now)
            #expect(held == 1)
            clock.advance(seconds: 1)
            await exporter.tick(at: clock.now)
            try await waiting.value
            #expect(Self.posts(server).count == 1)
            #expect(counter("missing_roots") == 1)
            #expect(counter("sent_runs") == 2)
            await exporter.finish()
        }
    }

    @Test func theOldestGoesOnWhenTooMuchWaits() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let exporter = try exporter(server.url, "trace_grace: 600s\nmax_held_bytes: 1MiB")
            var large = Self.child
            large.attributes = [NewPair(key: "input.value", value: .string(String(repeating: "x", count: 600_000)))]
            var other = large
            (other.spanID, other.parentSpanID) = (4, 3)
            let (first, second) = (large, other)
            let waiting = Task { try await exporter.export(Self.batch(first)) }
            try await eventually("it waits") { held == 1 }
            let next = Task { try await exporter.export(Self.batch(second, sequence: 2)) }
            try await waiting.value
            #expect(counter("released_early") == 1)
            next.cancel()
            await #expect(throws: ExportError.self) { try await next.value }
            await exporter.finish()
        }
    }

    @Test func whatIsCancelledWhileItWaitsIsNotSent() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let exporter = try exporter(server.url, "trace_grace: 600s")
            let waiting = Task { try await exporter.export(Self.batch(Self.child)) }
            try await eventually("it waits") { held == 1 }
            waiting.cancel()
            let error = await #expect(throws: ExportError.self) { try await waiting.value }
            #expect(error == .retryable("stopped while it waited for ancestors", after: nil))
            #expect(Self.posts(server).isEmpty)
            await exporter.finish()
        }
    }

    @Test func whoOnlyReadWhatIsRememberedWritesOnceNobodyElseDoes() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let first = try exporter(server.url)
            let second = try exporter(server.url)
            var other = SpanFixture()
            other.spanID = 7
            try await first.export(Self.batch(SpanFixture()))
            try await second.export(Self.batch(other, sequence: 2))
            let file = try #require(directory.files().first { $0.hasSuffix("/young") })
            await second.tick(at: clock.now)
            let before = try directory.contents(of: file).count
            await first.finish()
            await second.tick(at: clock.now)
            let after = try directory.contents(of: file).count
            #expect(before > 0 && after > before)
            await second.tick(at: clock.now)
            #expect(try directory.contents(of: file).count == after)
            await second.finish()
        }
    }

    @Test func aLargeBatchIsSentInPiecesAndARetryMakesTheSame() async throws {
        try await ScriptedServer.serve(HTTPResponse(503, "application/json", [])) { server in
            let exporter = try exporter(server.url, "compression: none")
            let text = String(repeating: "x", count: 1_000_000)
            // The root comes last, and is in the second piece, which begins within a record.
            let records = (UInt64(0)..<3).flatMap { record in
                let spans = (UInt64(1)...4).map { number in
                    var span = SpanFixture(("input.value", .string(text)))
                    (span.spanID, span.parentSpanID) = (record * 4 + number, 12)
                    if span.spanID == 12 { span.parentSpanID = 0 }
                    return span
                }
                return Self.batch(of: spans, sequence: record + 1).records
            }
            let whole = FrozenBatch(records: records)
            await #expect(throws: ExportError.self) { try await exporter.export(whole) }
            #expect(Self.posts(server).count == 1)
            server.answer(HTTPResponse(202, "application/json", []))
            try await exporter.export(whole)
            let bodies = Self.posts(server).map(\.body)
            try #require(bodies.count == 3)
            let isSame = bodies[0] == bodies[1]
            #expect(isSame, "a retry has other bytes")
            #expect(bodies[1].count > LangSmithExporter.maxWritten && bodies[2].count > 2 << 20)
            #expect(bodies[1].count < LangSmithExporter.maxWritten + 2 << 20)
            #expect(counter("sent_runs") == 12)
            await exporter.finish()
        }
    }

    @Test func tenantsNeverShareARequest() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let exporter = try exporter(
                server.url, "tenants: { acme: { api_key: lsv2_pt_acme, project: theirs } }\ncompression: none")
            let one = Self.batch(SpanFixture())
            let two = Self.batch(SpanFixture(), sequence: 2, tenant: "acme")
            try await exporter.export(FrozenBatch(records: one.records + two.records))
            let posts = Self.posts(server).sorted { $0.headers["x-api-key"] ?? "" > $1.headers["x-api-key"] ?? "" }
            #expect(posts.map { $0.headers["x-api-key"] } == ["lsv2_pt_key", "lsv2_pt_acme"])
            let projects = posts.map { String(decoding: $0.body, as: UTF8.self).contains("\"theirs\"") }
            #expect(projects == [false, true])
            await exporter.finish()
        }
    }

    @Test func aStandInThatIsThereAlreadyIsNotSentForEver() async throws {
        try await ScriptedServer.serve(HTTPResponse(409, "application/json", [])) { server in
            let exporter = try exporter(server.url, "trace_grace: 0s")
            try await exporter.export(Self.batch(Self.child))
            // Together, and then each by itself.
            #expect(Self.posts(server).count == 3)
            #expect(counter("known_runs") == 2)
            await exporter.finish()
        }
    }

    @Test func ofWhatAnEarlierProcessMayHaveSentNothingIsBelievedToBeThere() async throws {
        try await ScriptedServer.serve(HTTPResponse(503, "application/json", [])) { server in
            let exporter = try exporter(server.url)
            let records = [UInt64(1), 2].flatMap { id in
                var span = SpanFixture()
                span.traceID.low = id
                return Self.batch(span, sequence: id).records
            }
            let found = FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: 2)
            await #expect(throws: ExportError.self) { try await exporter.export(found) }
            server.answer(HTTPResponse(409, "application/json", []))
            try await exporter.export(found)
            #expect(Self.posts(server).count == 4, "together twice, and then each by itself")
            await exporter.finish()
        }
    }

    @Test(arguments: ["", "Retry-After"])
    func whoHasADestinationOfTheirOwnHoldsUpNobody(header: String) async throws {
        var busy = HTTPResponse(429, "application/json", [])
        busy.headers = header.isEmpty ? [] : [(header, "600")]
        try await ScriptedServer.serve(busy) { theirs in
            try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
                let keys = "tenants: { acme: { endpoint: \"\(theirs.url)\" } }"
                let exporter = try exporter(server.url, keys)
                let acme = Self.batch(SpanFixture(), tenant: "acme")
                let both = FrozenBatch(records: acme.records + Self.batch(SpanFixture(), sequence: 2).records)
                let error = await #expect(throws: ExportError.self) { try await exporter.export(both) }
                #expect(Self.posts(server).count == 1)
                let reason = "the destination answered 429"
                #expect(error == (header.isEmpty ? .retryable(reason, after: nil) : .tenantAway("acme", reason)))
                await #expect(throws: ExportError.self) { try await exporter.export(both) }
                #expect(Self.posts(theirs).count == (header.isEmpty ? 2 : 1), "it has named a time")
                #expect(Self.posts(server).count == 1)
                await exporter.finish()
            }
        }
    }

    @Test func aCompressionThatIsNotReadIsNotUsedAgain() async throws {
        try await ScriptedServer.serve(HTTPResponse(415, "application/json", [])) { server in
            let exporter = try exporter(server.url)
            await #expect(throws: ExportError.self) { try await exporter.export(Self.batch(SpanFixture())) }
            #expect(Self.posts(server).map { $0.headers["content-encoding"] } == ["gzip", nil])
            await exporter.finish()
        }
    }

    @Test func aKeyThatIsWrongBlocksItsTenantOnly() async throws {
        try await ScriptedServer.serve(HTTPResponse(403, "application/json", [])) { server in
            let exporter = try exporter(server.url)
            let error = await #expect(throws: ExportError.self) {
                try await exporter.export(Self.batch(SpanFixture(), tenant: "acme"))
            }
            #expect(
                error == .tenantBlocked("acme", "the destination answered 403; spans wait until it takes the key"))
            await exporter.finish()
        }
    }
}
