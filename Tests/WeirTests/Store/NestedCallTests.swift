import Testing

@testable import Weir

/// The same call, seen by what is around it as well: only the innermost costs something.
@Suite struct NestedCallTests {
    private typealias Sample = QuerySample

    private func call(
        _ id: UInt64, parent: UInt64, operation: String = "chat", pico: Int64? = 7, response: String? = nil,
        kind: UInt64 = 3
    ) -> SpanFixture {
        var attributes: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string(operation)), ("gen_ai.request.model", .string("m")),
            ("weir.cost.status", .string(pico == nil ? "unpriced" : "priced")),
        ]
        if let pico { attributes.append(("weir.cost.total", .string(Cost.text(pico)))) }
        if let response { attributes.append(("gen_ai.response.id", .string(response))) }
        var span = Sample.span(id, name: operation, attributes)
        (span.traceID, span.parentSpanID, span.kind) = ((9, 1), parent, kind)
        return span
    }

    private func other(_ id: UInt64, parent: UInt64, _ operation: String? = nil) -> SpanFixture {
        var span = Sample.span(
            id, name: "step", operation.map { [("gen_ai.operation.name", .string($0))] } ?? [])
        (span.traceID, span.parentSpanID) = ((9, 1), parent)
        return span
    }

    /// What the ledger has of the spans, in any order; each of them in a request of its own.
    private func sum(_ spans: [SpanFixture], _ database: HotDatabase) async throws -> Int128 {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        var sums: Set<Int128> = []
        for _ in 0..<3 {
            let sample = try Sample(database)
            for span in spans.shuffled(using: &random) { try await sample.add([span]) }
            let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
            let rollups = try await sample.reader.page(SpendQuery(.all, .tenant, in: Sample.window)).rows
            #expect(rollups.map(\.pico) == rows.map(\.picoDollars))
            sums.insert(rows.first?.picoDollars ?? 0)
        }
        #expect(sums.count == 1, "\(sums)")
        return sums.first ?? 0
    }

    @Test(arguments: HotDatabase.allCases)
    func aFrameworksCallAroundTheSDKsIsTakenBack(database: HotDatabase) async throws {
        #expect(try await sum([call(1, parent: 0, pico: 9), call(2, parent: 1)], database) == 7)
        // The AI SDK 7: an embedding and the embedding in it.
        let embeddings = [
            call(1, parent: 0, operation: "embeddings"), call(2, parent: 1, operation: "embeddings"),
        ]
        #expect(try await sum(embeddings, database) == 7)
        // Three of them, one in the other.
        #expect(try await sum([call(1, parent: 0), call(2, parent: 1), call(3, parent: 2)], database) == 7)
    }

    /// Each is above all behind it, which are millions of pairs.
    @Test(arguments: HotDatabase.allCases)
    func ofAVeryLongChainTheInnermostStays(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add((1...3_000).map { call($0, parent: $0 - 1) })
        let rows = try await sample.reader.page(SpendQuery(.all, .tenant, in: Sample.window)).rows
        #expect(rows.map(\.pico) == [7])
    }

    @Test(arguments: HotDatabase.allCases)
    func aServersViewOfItsClientsCallIsTheSameCall(database: HotDatabase) async throws {
        // The client, its HTTP request, the gateway's handler, the gateway's call.
        let spans = [
            call(1, parent: 0), other(2, parent: 1), other(3, parent: 2), call(4, parent: 3, pico: 8, kind: 2),
        ]
        #expect(try await sum(spans, database) == 8)
    }

    /// A framework's call around the SDK's, and the gateway that the SDK has asked: the gateway's tells more, so the
    /// SDK's is taken back for it, and the framework's for the SDK's.
    @Test(arguments: HotDatabase.allCases)
    func aCallAroundOneThatIsPaidElsewhereIsTakenBack(database: HotDatabase) async throws {
        var gateway = call(9, parent: 0, pico: 5, response: "r")
        gateway.traceID = (9, 2)
        for key in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"] {
            gateway.attributes.append(NewPair(key: key, value: .int(3)))
        }
        let inner = call(2, parent: 1, response: "r")
        #expect(try await sum([call(1, parent: 0), inner, gateway], database) == 5)
        let apart = [call(1, parent: 0), other(3, parent: 1), call(2, parent: 3, response: "r"), gateway]
        #expect(try await sum(apart, database) == 5)
        // Of calls within each other that are one, one stays.
        let around = [call(1, parent: 0, response: "r"), call(3, parent: 1), call(2, parent: 3, response: "r")]
        #expect(try await sum(around, database) == 7)
    }

    @Test(arguments: HotDatabase.allCases)
    func whatIsAnotherCallStays(database: HotDatabase) async throws {
        // An embedding within a chat, and a chat within a tool that a chat has called.
        #expect(try await sum([call(1, parent: 0), call(2, parent: 1, operation: "embeddings")], database) == 14)
        let agent = [call(1, parent: 0), other(2, parent: 1, "execute_tool"), call(3, parent: 2)]
        #expect(try await sum(agent, database) == 14)
        #expect(try await sum([other(1, parent: 0), call(2, parent: 1), call(3, parent: 1)], database) == 14)
    }

    @Test(arguments: HotDatabase.allCases)
    func whatHasNoPriceTakesNothingBack(database: HotDatabase) async throws {
        #expect(try await sum([call(1, parent: 0), call(2, parent: 1, pico: nil)], database) == 7)
        // One of two with the same response is taken back already, and must not take the other with it.
        let twice = [call(1, parent: 0, response: "r"), call(2, parent: 1, response: "r")]
        #expect(try await sum(twice, database) == 7)
        // A call that says it is its own parent, and parents in a circle.
        #expect(try await sum([call(1, parent: 1)], database) == 7)
        #expect(try await sum([call(1, parent: 2), other(2, parent: 1)], database) == 7)
        #expect(try await sum([call(1, parent: 2), other(2, parent: 3), other(3, parent: 2)], database) == 7)
    }

    @Test(arguments: HotDatabase.allCases)
    func ofCallsInACircleOneIsPaid(database: HotDatabase) async throws {
        #expect(try await sum([call(1, parent: 2), call(2, parent: 1)], database) == 7)
        #expect(try await sum([call(1, parent: 2), call(2, parent: 3), call(3, parent: 1)], database) == 7)
        // Where there is one below the circle, it is that one.
        #expect(try await sum([call(1, parent: 2), call(2, parent: 1), call(3, parent: 2, pico: 9)], database) == 9)
        #expect(try await sum([call(1, parent: 2), call(2, parent: 1, pico: nil)], database) == 7)
    }

    /// Stores what two tenants have sent in one transaction.
    private func add(_ spans: [SpanFixture], acme: [SpanFixture], _ sample: Sample) async throws {
        func record(_ sequence: UInt64, _ tenant: String, _ spans: [SpanFixture]) -> JournalRecord {
            JournalRecord(
                sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: Sample.start),
                spanCount: spans.count, payload: SpanFixture.request(spans))
        }
        try await sample.add(record(1_000, "acme", acme), record(1_001, "default", spans))
    }

    /// Of a trace of more entries than are looked at, all newer than those of others, even under one trace id.
    @Test(arguments: HotDatabase.allCases, [0, 1])
    func aTraceOfVeryManyCallsTakesThePlacesOfNone(database: HotDatabase, calls: Int) async throws {
        let sample = try Sample(database)
        try await sample.add([call(1, parent: 99)], tenant: "acme")
        let (cost, later) =
            switch database {
            case .postgres: ("total_cost", "interval '1 microsecond'")
            case .sqlite: ("total_cost_pico", "1")
            }
        let values = ["start_time": "l.start_time + n.i * \(later)", "span_id": "n.i + 1000", "calls": "\(calls)"]
        let columns = CostRow.columns.map { $0 == "total_cost" ? cost : $0 }
        try sample.change(
            """
            WITH RECURSIVE n (i) AS (
                SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= \(CostCorrections.maximumEntries)
            )
            INSERT INTO cost_ledger (\(columns.joined(separator: ", ")))
            SELECT \(columns.map { values[$0] ?? "l.\($0)" }.joined(separator: ", ")) FROM cost_ledger l, n
            """)
        var planner = other(10, parent: 0, "invoke_agent")
        for (key, value) in [
            ("gen_ai.agent.name", "planner"), ("gen_ai.request.model", "m"), ("weir.cost.status", "aggregate"),
            ("weir.cost.aggregate", Cost.text(100)),
        ] {
            planner.attributes.append(NewPair(key: key, value: .string(value)))
        }
        let seenTwice = [planner, call(11, parent: 10), call(12, parent: 11)]
        let elsewhere = seenTwice.map {
            var span = $0
            span.traceID = (9, 2)
            return span
        }
        try await add(seenTwice, acme: [other(2, parent: 99)] + elsewhere, sample)
        for tenant in ["acme", "default"] {
            var query = CostQuery(.one(Tenant(tenant)), by: .agent, in: Sample.window)
            query.trace = TraceID(high: 9, low: tenant == "acme" ? 2 : 1)
            let rows = try await sample.reader.page(query).rows
            #expect(rows.map { "\($0.key.who ?? "-") \($0.calls) \($0.picoDollars)" } == ["planner 1 7"], "\(tenant)")
        }
    }

    /// Of an id that very many spans have, with a parent each, all calls below it would be below all of these.
    @Test(arguments: HotDatabase.allCases)
    func anIdOfVeryManySpansTakesThePairsOfNone(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let fan = (0..<800 as Range<UInt64>).map {
            var span = other(5, parent: 10_000 + $0)
            span.startTime += $0 * 1_000
            return span
        }
        let below = (0..<700 as Range<UInt64>).map { call(1_000 + $0, parent: 5) }
        let seenTwice = [call(1, parent: 0), other(2, parent: 1), other(3, parent: 2), call(4, parent: 3)]
        try await add(seenTwice, acme: fan + below, sample)
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        #expect(rows.map(\.picoDollars) == [7])
    }
}
