import Testing

@testable import Weir

/// An aggregate that lasts past midnight, and its calls on both days: in SQLite each day is a file of its own.
@Suite struct MidnightCostTests {
    private typealias Sample = QuerySample

    /// From the sample's time, in nanoseconds.
    private static let midnight = -Int64(4 * SampleBatch.hour)

    private func call(
        _ id: UInt64, trace: UInt64, parent: UInt64, start: Int64, pico: Int64?, model: String = "m"
    ) -> SpanFixture {
        var attributes: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model)),
            ("gen_ai.usage.input_tokens", .int(10)),
            ("weir.cost.status", .string(pico == nil ? "unpriced" : "priced")),
        ]
        if let pico { attributes.append(("weir.cost.total", .string(Cost.text(pico)))) }
        var span = Sample.span(id, start: Self.midnight + start, name: "chat", attributes)
        (span.traceID, span.parentSpanID) = ((9, trace), parent)
        return span
    }

    private func agent(_ id: UInt64, trace: UInt64, lasts: UInt64, pico: Int64) -> SpanFixture {
        var span = Sample.span(
            id, start: Self.midnight - 5_000_000, lasts: lasts, name: "agent",
            [
                ("gen_ai.operation.name", .string("invoke_agent")), ("gen_ai.request.model", .string("m")),
                ("weir.cost.status", .string("aggregate")), ("weir.cost.aggregate", .string(Cost.text(pico))),
            ])
        (span.traceID, span.parentSpanID) = ((9, trace), 0)
        return span
    }

    private func sum(_ sample: Sample) async throws -> Int128 {
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        let rollups = try await sample.reader.page(SpendQuery(.all, .tenant, in: Sample.window)).rows
        #expect(rollups.map(\.pico) == rows.map(\.picoDollars))
        return rows.first?.picoDollars ?? 0
    }

    @Test(arguments: HotDatabase.allCases)
    func anAggregateIsPaidOnlyWhereNoCallBelowItIsOnEitherDay(database: HotDatabase) async throws {
        let second = 1_000_000_000
        let spans = [
            // Its call is on the day after; one has calls on both days; one has none; one has one without a price.
            agent(1, trace: 1, lasts: UInt64(60 * second), pico: 100),
            call(2, trace: 1, parent: 1, start: Int64(second), pico: 7),
            agent(11, trace: 2, lasts: UInt64(60 * second), pico: 1_000),
            call(12, trace: 2, parent: 11, start: -1_000_000, pico: 20),
            call(13, trace: 2, parent: 11, start: Int64(second), pico: 30),
            agent(21, trace: 3, lasts: UInt64(60 * second), pico: 10_000),
            agent(31, trace: 4, lasts: UInt64(60 * second), pico: 100_000),
            call(32, trace: 4, parent: 31, start: Int64(second), pico: nil),
            // It is over before midnight, and the call on the day after is no call of its own.
            agent(41, trace: 5, lasts: 1_000, pico: 1_000_000),
            call(42, trace: 5, parent: 40, start: Int64(second), pico: 200),
        ]
        let expected: Int128 = 7 + 20 + 30 + 10_000 + 100_000 + 1_000_000 + 200
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<(database == .sqlite ? 12 : 4) {
            let sample = try Sample(database)
            let order = spans.shuffled(using: &random)
            for span in order { try await sample.add([span]) }
            #expect(try await sum(sample) == expected, "\(order.map(\.spanID))")
        }
        // All in one request, and again.
        let sample = try Sample(database)
        for _ in 0..<2 { try await sample.add(spans) }
        #expect(try await sum(sample) == expected)
    }

    @Test(arguments: HotDatabase.allCases)
    func aPriceThatComesLateTakesBackWhatTheDayBeforeHas(database: HotDatabase) async throws {
        let second: Int64 = 1_000_000_000
        let sample = try Sample(database)
        try await sample.add([
            agent(1, trace: 1, lasts: UInt64(60 * second), pico: 50),
            call(2, trace: 1, parent: 1, start: second, pico: nil, model: "gpt-4o"),
            // Nobody has a price of the call below this one.
            agent(11, trace: 2, lasts: UInt64(60 * second), pico: 100),
            call(12, trace: 2, parent: 11, start: second, pico: nil),
        ])
        #expect(try await sum(sample) == 150)
        let day = Day(Timestamp(nanoseconds: Sample.start))
        let query = StandingCostQuery(.one(Sample.tenant), in: TimeWindow(from: day.start, to: (day + 1).start))
        let repricing = Repricing(table: try PriceVectorTests.table())
        let repriced = try await sample.reader.page(query).rows.compactMap(repricing.reprice)
        for written in [1, 0] {
            #expect(try await sample.store.costRewriter.write(repriced) == written)
            // Ten tokens of 2,500,000 each.
            #expect(try await sum(sample) == 25_000_100)
        }
    }
}
