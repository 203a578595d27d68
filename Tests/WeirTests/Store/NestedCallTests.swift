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
}
