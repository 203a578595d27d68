import Testing

@testable import Weir

/// Sums over spans, in either database.
@Suite struct AggregateContractTests {
    private typealias Sample = QuerySample

    private static let minute = Timestamp(nanoseconds: Sample.start)

    @Test(arguments: HotDatabase.allCases)
    func servicesAndOperationsAreSummedOverDays(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var failed = Sample.span(1, start: -Sample.day, name: "a")
        failed.status = 2
        try await sample.add([failed, Sample.span(2, name: "a"), Sample.span(3, name: "b")])
        try await sample.add([
            Sample.span(4, start: -Sample.day, name: "a", service: "bank"), Sample.span(5, name: "a"),
        ])
        let services = try await sample.reader.page(ServicesQuery(Sample.tenant, in: Sample.window))
        let yesterday = Timestamp(nanoseconds: Sample.start - UInt64(Sample.day))
        #expect(
            services.rows == [
                ServiceSummary(service: "bank", spans: 1, errors: 0, lastSeen: yesterday),
                ServiceSummary(service: "shop", spans: 4, errors: 1, lastSeen: Self.minute),
            ])
        var query = OperationsQuery(Sample.tenant, in: Sample.window)
        let all = try await sample.reader.page(query).rows
        #expect(all.map(\.key.service) == ["shop", "bank", "shop"])
        #expect(all.map(\.key.name) == ["a", "a", "b"] && all.map(\.spans) == [3, 1, 1])
        #expect(all.map(\.errors) == [1, 0, 0])
        query.service = "bank"
        #expect(try await sample.reader.page(query).rows.map(\.key.name) == ["a"])
        query.service = nil
        query.limit = 2
        let cut = try await sample.reader.page(query)
        #expect(cut.rows.count == 2 && cut.hasMore)
        // The minute of the spans, which a window that begins inside it has as a whole.
        let late = TimeWindow(from: Timestamp(nanoseconds: Sample.start + 30 * Sample.second))
        #expect(try await sample.reader.page(ServicesQuery(Sample.tenant, in: late)).rows.map(\.spans) == [3])
    }

    @Test(arguments: HotDatabase.allCases)
    func percentilesAreThoseOfTheSpans(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        // Logarithmic, from a microsecond to a quarter of an hour.
        let durations = (0..<600).map { _ in
            UInt64.random(in: 1...(1 << UInt64.random(in: 10...40, using: &random)), using: &random)
        }
        for part in 0..<3 {
            try await sample.add(
                durations[(part * 200)..<(part * 200 + 200)].enumerated().map { index, duration in
                    var span = Sample.span(
                        UInt64(part * 200 + index + 1), start: -Int64(part) * Sample.day, lasts: duration)
                    span.status = index % 4 == 0 ? 2 : 1
                    return span
                })
        }
        try await sample.add([Sample.span(1_000, lasts: 5, name: "other")])
        var query = LatencyQuery(Sample.tenant, in: Sample.window)
        query.name = "work"
        query.service = "shop"
        let rows = try await sample.reader.page(query).rows
        let row = try #require(rows.first)
        #expect(rows.count == 1 && row.spans == 600 && row.errors == 150 && row.errorRate == 0.25)
        #expect(row.duration == Int64(durations.reduce(0, +)))
        let sorted = durations.sorted()
        for quantile in [0.0, 0.5, 0.95, 0.99, 1.0] {
            let exact = Double(sorted[max(0, Int((quantile * 600).rounded(.up)) - 1)])
            let found = Double(try #require(row.quantile(quantile)))
            #expect(abs(found - exact) <= max(1, exact * 0.0625), "\(quantile): \(found), exactly \(exact)")
        }
        query = LatencyQuery(Sample.tenant, in: Sample.window)
        #expect(try await sample.reader.page(query).rows.map(\.key.name) == ["work", "other"])
    }

    @Test(arguments: HotDatabase.allCases)
    func stepsAreCountedFrom1970(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let minutes: [Int64] = [0, 4, 5, 6, 14]
        try await sample.add(
            minutes.map {
                Sample.span(UInt64($0 + 1), start: $0 * 60 * Int64(Sample.second), lasts: UInt64($0) * 1_000)
            })
        // In the step before, which begins the day before.
        try await sample.add([Sample.span(99, start: -Sample.day)])
        var query = LatencyQuery(Sample.tenant, in: TimeWindow(from: Timestamp(nanoseconds: Sample.start)))
        query.step = .seconds(300)
        let rows = try await sample.reader.page(query).rows
        #expect(rows.map(\.spans) == [2, 2, 1])
        #expect(
            rows.compactMap(\.key.start?.text) == [
                "2026-02-03T04:00:00.000000000Z", "2026-02-03T04:05:00.000000000Z", "2026-02-03T04:10:00.000000000Z",
            ])
        // Half of one step is in each file of SQLite.
        query.window = Sample.window
        query.step = .seconds(7 * 86_400)
        #expect(try await sample.reader.page(query).rows.map(\.spans).reduce(0, +) == 6)
        query.step = .seconds(90)
        await #expect(throws: QueryError.invalid("found step 1m30s, wanted a multiple of 1m")) {
            try await sample.reader.page(query)
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func usageIsSummedByWhoeverCausedIt(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([
            Sample.call(1, model: "large", user: "ann", agent: "planner", tokens: 100, cost: 0.000_000_000_001),
            Sample.call(2, start: -Sample.day, model: "large", user: "ann", tokens: 50, cost: 1.5),
            Sample.call(3, model: "small", user: "bob", tokens: 7), Sample.call(4, model: "small", tokens: 1),
        ])
        func rows(_ dimension: CostQuery.Dimension) async throws -> [String] {
            try await sample.reader.page(CostQuery(.one(Sample.tenant), by: dimension, in: Sample.window)).rows.map {
                "\($0.key.who ?? "-") \($0.calls) \($0.inputTokens) \($0.cost ?? "-") \($0.unpriced)"
            }
        }
        #expect(try await rows(.tenant) == ["default 4 158 1.500000000001 2"])
        #expect(try await rows(.model) == ["large 2 150 1.500000000001 0", "small 2 8 - 2"])
        #expect(try await rows(.user) == ["ann 2 150 1.500000000001 0", "- 1 1 - 1", "bob 1 7 - 1"])
        #expect(try await rows(.agent) == ["- 3 58 1.500000000000 2", "planner 1 100 0.000000000001 0"])
        var query = CostQuery(.one(Sample.tenant), by: .model, in: Sample.window)
        query.step = .seconds(86_400)
        let steps = try await sample.reader.page(query).rows
        #expect(steps.map { $0.key.start?.text.prefix(10) } == ["2026-02-02", "2026-02-03", "2026-02-03"])
        #expect(steps.map(\.key.who) == ["large", "large", "small"])
        #expect(
            steps[0].json == #"{"start_time":"2026-02-02T00:00:00.000000000Z","by":"model","who":"large","calls":1,"#
                + #""unpriced":0,"input_tokens":50,"output_tokens":0,"cache_read_tokens":0,"cache_write_tokens":0,"#
                + #""reasoning_tokens":0,"total_cost":"1.500000000000","table_cost":"0.000000000000","#
                + #""provider_cost":"1.500000000000","estimate_cost":"0.000000000000"}"#)
    }

    @Test(arguments: HotDatabase.allCases)
    func absurdNumbersDoNotBreakASum(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add(
            (1...4).map { Sample.call($0, model: "m", tokens: .max, cost: 9_000) })
        // Who says so counts in something else than dollars.
        try await sample.add([Sample.call(9, model: "m", cost: 10_000.01)])
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .model, in: Sample.window)).rows
        #expect(rows.map(\.cost) == ["36000.000000000000"] && rows.map(\.unpriced) == [1])
        // No model reads so much: such counts are none.
        #expect(rows.map(\.inputTokens) == [0])
        for id: UInt64 in 5...8 {
            var span = Sample.span(id, name: "long")
            span.endTime = span.startTime + UInt64(Int64.max)
            try await sample.add([span])
        }
        var query = LatencyQuery(Sample.tenant, in: Sample.window)
        query.name = "long"
        #expect(try await sample.reader.page(query).rows.map(\.duration) == [.max])
    }

    /// Budgets of all tenants are read at once: one who sends absurd costs must not take the others' away.
    @Test(arguments: HotDatabase.allCases)
    func absurdCostsAreNoMoreThanASumHolds(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.call(1, model: "m", user: "ann", cost: 1.000_000_000_001)])
        try await sample.add([Sample.call(2, model: "m", user: "bob", cost: 2)], tenant: "other")
        let much = database == .sqlite ? "total_cost_micro = 9223372036854775807" : "total_cost = 9223372036854.8"
        try sample.change("UPDATE cost_rollups SET \(much) WHERE user_id = 'ann'")
        try await sample.add([Sample.call(3, model: "m", user: "ann", cost: 1)])
        try await sample.add([Sample.call(4, model: "n", user: "ann", cost: 1)])
        for scope in [BudgetScope.tenant, .user] {
            let found = try await sample.reader.page(SpendQuery(.all, scope, in: Sample.window)).rows
            #expect(found.map(\.owner.tenant) == ["default", "other"])
            #expect(found.first.map { $0.pico / 1_000_000 } == Int128(Int64.max))
            #expect(found.last?.pico == 2_000_000_000_000)
            let others = SpendQuery(.one(Tenant("other")), scope, in: Sample.window)
            #expect(try await sample.reader.page(others).rows == found.suffix(1))
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func whereNothingIsStoredNothingIsFound(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.span(1)], tenant: "other")
        let (tenant, reader) = (Sample.tenant, sample.reader)
        #expect(try await reader.page(ServicesQuery(tenant, in: Sample.window)).rows == [])
        #expect(try await reader.page(OperationsQuery(tenant, in: Sample.window)).rows == [])
        #expect(try await reader.page(LatencyQuery(tenant, in: Sample.window)).rows == [])
        for dimension in CostQuery.Dimension.allCases {
            #expect(try await reader.page(CostQuery(.one(tenant), by: dimension, in: Sample.window)).rows == [])
        }
    }
}
