import NIOCore
import Testing

@testable import Weir

/// A destination that is away for an hour. The time of the delivery is simulated; the exporter and its requests are not.
@Suite struct LangSmithOutageTests {
    private let metrics = MetricRegistry()
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: [(503, nil), (429, "600"), (500, nil)])
    func anHourAwayLosesNothingAndSendsEachRunOnce(status: Int, retryAfter: String?) async throws {
        var busy = HTTPResponse(status, "application/json", [])
        if let retryAfter { busy.headers = [("Retry-After", retryAfter)] }
        try await ScriptedServer.serve(busy) { server in
            let keys = "compression: none\nrequests_per_minute: 1000000\ntrace_grace: 0s"
            let text = "endpoint: \(server.url)\napi_key: lsv2_pt_key\ndirectory: \(directory.path)\n\(keys)"
            let context = Context(id: ComponentID(type: "langsmith"), logger: LogCapture().logger, metrics: metrics)
            let exporter = try LangSmithExporter(try #require(read(LangSmithConfiguration.self, text)), context)
            var delivery = SimulatedDelivery(to: exporter)
            for tenMinutes in 0..<6 {
                delivery.append(Self.tree(tenMinutes + 1))
                try await delivery.run(until: .seconds(600 * (tenMinutes + 1)))
            }
            #expect(delivery.committed == 0)
            let refused = Self.posts(server)
            server.answer(HTTPResponse(202, "application/json", []))
            try await delivery.run(until: .seconds(3_600 + 660))
            #expect(delivery.committed == 6)
            let all = Self.posts(server)
            let taken = all[refused.count...].flatMap(Self.ids)
            #expect(taken.count == 12 && Set(taken).count == 12)
            // Attempts go on for the whole hour, and are not a flood.
            #expect(retryAfter == nil ? (100...1_500).contains(refused.count) : (6...40).contains(refused.count))
            #expect(Set(all.map(\.body)).count == 6, "a retry has other bytes")
            await exporter.finish()
        }
    }

    /// Of a tenant that is parked one batch at a time is tried again, and what it waits for may be in the next.
    @Test(.hangLimit) func whatWasParkedHasWaited() async throws {
        try await ScriptedServer.serve(HTTPResponse(202, "application/json", [])) { server in
            let keys = "compression: none\ntrace_grace: 10m\ndirectory: \(directory.path)"
            let text = "endpoint: \(server.url)\napi_key: lsv2_pt_key\n\(keys)"
            let context = Context(id: ComponentID(type: "langsmith"), logger: LogCapture().logger, metrics: metrics)
            let exporter = try LangSmithExporter(try #require(read(LangSmithConfiguration.self, text)), context)
            var orphan = SpanFixture()
            (orphan.spanID, orphan.parentSpanID) = (2, 1)
            let record = JournalRecord(
                sequence: 1, tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1,
                payload: SpanFixture.request([orphan]))
            try await exporter.export(
                FrozenBatch(journal: JournalID(value: 1), records: [record], recoveredThrough: .max))
            #expect(Self.posts(server).count == 1)
            await exporter.finish()
        }
    }

    /// A trace of two spans.
    private static func tree(_ number: Int) -> Payload {
        var root = SpanFixture()
        (root.traceID.low, root.spanID, root.parentSpanID) = (UInt64(number), UInt64(number * 10), 0)
        var child = root
        (child.spanID, child.parentSpanID) = (UInt64(number * 10 + 1), root.spanID)
        return SpanFixture.request([child, root])
    }

    private static func posts(_ server: ScriptedServer) -> [ScriptedServer.Request] {
        server.requests.filter { $0.path != "/info" }
    }

    /// Of the runs that a request brings.
    private static func ids(_ request: ScriptedServer.Request) -> [Substring] {
        String(decoding: request.body, as: UTF8.self).split(separator: "name=\"post.").dropFirst()
            .map { $0.prefix { $0 != "\"" } }.filter { !$0.contains(".") }
    }
}

/// What a delivery does, with the defaults of the exporter, in a time that passes as soon as nothing is left to do.
private struct SimulatedDelivery {
    private let exporter: LangSmithExporter
    private let start = ContinuousClock.now
    private var now: ContinuousClock.Instant
    private var state: DeliveryState
    private var records: [JournalRecord] = []
    private var unread = 0
    /// Records.
    private(set) var committed = 0

    init(to exporter: LangSmithExporter) {
        self.exporter = exporter
        now = start
        let configuration = DeliveryConfiguration(retry: "", defaults: LangSmithExporter.deliveryDefaults)
        let settings = DeliveryState.Settings(
            retry: configuration.retry, queue: configuration.queue, splitsRecords: true, waitsForLater: true,
            tickInterval: .seconds(1),
            drainTimeout: .seconds(10))
        state = DeliveryState(settings, parked: [:], at: start) { 0.5 }
    }

    mutating func append(_ payload: Payload) {
        records.append(
            JournalRecord(
                sequence: UInt64(records.count + 1), tenant: "default", receivedAt: Timestamp(nanoseconds: 0),
                spanCount: 2, payload: payload))
        unread += 1
    }

    mutating func run(until end: Duration) async throws {
        while true {
            let journal = DeliveryState.Journal(
                spans: 2 * unread, bytes: unread, isClosed: false, needsRoom: false)
            let actions = state.actions(at: now, journal)
            for action in actions { try await perform(action) }
            guard actions.isEmpty else { continue }
            let next = min(state.wakeAt ?? start + end, start + end)
            if next == start + end, now >= next { return }
            now = max(next, now + .milliseconds(1))
        }
    }

    private mutating func perform(_ action: DeliveryState.Action) async throws {
        switch action {
        case .read:
            state.handle(.read(records.suffix(unread)), at: now)
            unread = 0
        case .export(let id, let piece, _):
            let result: Result<Void, ExportError>
            do throws(ExportError) {
                result = .success(try await exporter.export(FrozenBatch(records: Array(piece.records))))
            } catch {
                result = .failure(error)
            }
            state.handle(.exported(id, result), at: now)
        case .look(let last, _, _): state.handle(.looked(settled: last), at: now)
        case .commit(let sequences): committed += sequences.count
        case .report: break
        case .cancel, .bury, .park, .miss, .fetch, .forget, .finish:
            Issue.record("found \(action), wanted attempts only")
        }
    }
}
