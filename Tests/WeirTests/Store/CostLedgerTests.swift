import Testing

@testable import Weir

/// What calls cost, in either database: the same sums whatever came first, and however often.
@Suite struct CostLedgerTests {
    private typealias Sample = QuerySample

    /// A priced call: in pico-dollars, as `cost` would have written it.
    private func call(
        _ id: UInt64, parent: UInt64 = 0, trace: UInt64 = 1, start: Int64 = 0, pico: Int64?, response: String? = nil,
        user: String? = nil, model: String = "m"
    ) -> SpanFixture {
        var attributes: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model)),
            ("gen_ai.usage.input_tokens", .int(10)),
        ]
        if let pico {
            attributes += [("weir.cost.status", .string("priced")), ("weir.cost.total", .string(Cost.text(pico)))]
            attributes.append(("weir.cost.price", .string("p/m")))
        } else {
            attributes += [("weir.cost.status", .string("unpriced"))]
        }
        if let response { attributes.append(("gen_ai.response.id", .string(response))) }
        if let user { attributes.append(("user.id", .string(user))) }
        return placed(Sample.span(id, start: start, name: "chat", attributes), trace, parent)
    }

    /// An agent that says itself what its calls used.
    private func agent(_ id: UInt64, parent: UInt64 = 0, trace: UInt64 = 1, pico: Int64) -> SpanFixture {
        let attributes: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("invoke_agent")), ("gen_ai.request.model", .string("m")),
            ("weir.cost.status", .string("aggregate")), ("weir.cost.aggregate", .string(Cost.text(pico))),
        ]
        return placed(Sample.span(id, name: "agent", attributes), trace, parent)
    }

    private func placed(_ span: SpanFixture, _ trace: UInt64, _ parent: UInt64) -> SpanFixture {
        var span = span
        span.traceID = (9, trace)
        span.parentSpanID = parent
        return span
    }

    /// The ledger's sum, and that of the rollups, which must be the same.
    private func sum(_ sample: Sample) async throws -> Int128 {
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        // These are of all tenants.
        let rollups = try await sample.reader.page(SpendQuery(.all, .tenant, in: Sample.window)).rows.filter {
            $0.owner.tenant == "default"
        }
        #expect(rollups.map(\.pico) == rows.map(\.picoDollars))
        return rows.first?.picoDollars ?? 0
    }

    private func calls(_ sample: Sample) async throws -> Int64? {
        try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows.first?.calls
    }

    /// A tenant's index gives all of its day.
    @Test func inAFileEveryEntryIsLookedUpByItsKey() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, SampleBatch.fourOClock)]))
        let (many, few) = (CostCorrections.sqlite, CostCorrections.sqlite(entries: 1))
        for correction in [many.duplicates, many.nested, many.leaves, many.agents, few.nested, few.leaves, few.agents] {
            let plan = try sample.lines(
                """
                EXPLAIN QUERY PLAN WITH RECURSIVE touched_traces (trace_id) AS (VALUES (x'00'), (x'01')),
                touched_responses (tenant_id, response_id) AS (VALUES (1, 'a'), (1, 'b')) \(correction)
                """)
            #expect(plan.contains { $0.contains("SEARCH l USING") }, "\(plan)")
            #expect(!plan.contains { $0.contains("cost_ledger_tenant") || $0.contains("(tenant_id=?)") }, "\(plan)")
        }
    }

    /// A span that stands for eight is counted eight times in estimates, and paid for once.
    @Test(arguments: HotDatabase.allCases)
    func aSampledCallIsPaidForOnce(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var sampled = call(1, pico: 7)
        sampled.traceState = "ot=th:e"
        try await sample.add([sampled])
        #expect(try await sum(sample) == 7)
        #expect(try await calls(sample) == 1)
    }

    @Test(arguments: HotDatabase.allCases)
    func sumsAreExactAndUnknownIsNotZero(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([
            call(1, pico: 1, user: "ann"), call(2, start: -Sample.day, pico: 9_000_000_000_000_000_001, user: "ann"),
            call(3, pico: nil, user: "bob", model: "new"), call(4, start: -Sample.day, pico: nil, model: "new"),
            Sample.call(5, model: "told", user: "ann", cost: 0.5), Sample.span(6),
        ])
        func rows(_ dimension: CostQuery.Dimension) async throws -> [String] {
            try await sample.reader.page(CostQuery(.one(Sample.tenant), by: dimension, in: Sample.window)).rows.map {
                "\($0.key.who ?? "-") \($0.calls) \($0.unpriced) \($0.cost ?? "-")"
            }
        }
        #expect(try await rows(.user) == ["ann 3 0 9000000.500000000002", "- 1 1 -", "bob 1 1 -"])
        #expect(
            try await rows(.source) == ["table 2 0 9000000.000000000002", "provider 1 0 0.500000000000", "- 2 2 -"])
        #expect(try await rows(.status) == ["priced 3 0 9000000.500000000002", "unpriced 2 2 -"])
        #expect(try await rows(.day) == ["2026-02-02 2 1 9000000.000000000001", "2026-02-03 3 1 0.500000000001"])
        #expect(try await rows(.tenant) == ["default 5 2 9000000.500000000002"])
        for dimension in CostQuery.Dimension.allCases { #expect(try await !rows(dimension).isEmpty) }
        let unknown = try await sample.reader.page(UnpricedQuery(.one(Sample.tenant), in: Sample.window)).rows
        let start = Timestamp(nanoseconds: Sample.start)
        #expect(
            unknown == [
                UnpricedModel(
                    key: .init(provider: nil, model: "new", status: "unpriced"), calls: 2,
                    firstSeen: Timestamp(nanoseconds: Sample.start - UInt64(Sample.day)), lastSeen: start)
            ])
        #expect(try await sum(sample) == 9_000_000_500_000_000_002)
    }

    @Test(arguments: HotDatabase.allCases)
    func aTenantSeesItsOwnAndWhoeverAsksForAllSeesAll(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([call(1, pico: 5)], tenant: "acme")
        try await sample.add([call(2, pico: 7)])
        var query = CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)
        #expect(try await sample.reader.page(query).rows.map(\.picoDollars) == [7])
        query = CostQuery(.all, by: .tenant, in: Sample.window)
        #expect(try await sample.reader.page(query).rows.map(\.key.who) == ["default", "acme"])
        query = CostQuery(.one(Sample.tenant), by: .span, in: Sample.window)
        query.trace = TraceID(high: 9, low: 1)
        #expect(try await sample.reader.page(query).rows.map(\.key.who) == ["0000000000000002"])
    }

    @Test(arguments: HotDatabase.allCases)
    func whatIsSentTwiceCostsOnce(database: HotDatabase) async throws {
        let sample = try Sample(database)
        for _ in 0..<3 { try await sample.add([call(1, pico: 5), call(2, pico: 7), call(2, pico: 7)]) }
        #expect(try await sum(sample) == 12)
        #expect(try await calls(sample) == 2)
        // Those that are new beside them lose nothing.
        try await sample.add([call(3, pico: 1), call(1, pico: 5), call(3, pico: 1), call(4, pico: 30)])
        #expect(try await sum(sample) == 43)
    }

    @Test(arguments: HotDatabase.allCases)
    func aResponsesIdMayBeAnyText(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let ids = ["a\"b", "a\\", "{a,b}", "\"\u{301}", "NULL", " ", "a\nb"]
        for (place, id) in ids.enumerated() {
            let number = UInt64(place) * 2 + 1
            try await sample.add([call(number, trace: number, pico: 1, response: id)])
            try await sample.add([call(number + 1, trace: number + 1, pico: 1, response: id)])
        }
        #expect(try await sum(sample) == Int128(ids.count))
    }

    @Test(arguments: HotDatabase.allCases)
    func aResponseIsPaidForOnce(database: HotDatabase) async throws {
        // A gateway that knows no price, the SDK behind it, and a second instrumentation that came later.
        let seen = [
            call(1, pico: nil, response: "r"), call(2, trace: 2, start: 1_000, pico: 5, response: "r"),
            call(3, trace: 3, start: 2_000, pico: 8, response: "r"),
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let sample = try Sample(database)
            for place in order { try await sample.add([seen[place]]) }
            #expect(try await sum(sample) == 5, "\(order)")
            #expect(try await calls(sample) == 1, "\(order)")
            #expect(try await sample.reader.page(UnpricedQuery(.one(Sample.tenant), in: Sample.window)).rows == [])
        }
        let sample = try Sample(database)
        try await sample.add(seen)
        // Another tenant's, another day's, and those that name none.
        try await sample.add([call(4, trace: 4, start: -Sample.day, pico: 100, response: "r")])
        try await sample.add([call(5, trace: 5, pico: 1_000), call(6, trace: 6, pico: 1_000)])
        try await sample.add([call(7, trace: 7, pico: 4, response: "r")], tenant: "acme")
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        #expect(rows.map(\.picoDollars) == [2_105])
    }

    @Test(arguments: HotDatabase.allCases)
    func ofOneResponseTheViewWithMorePartsStays(database: HotDatabase) async throws {
        func detailed(_ id: UInt64) -> SpanFixture {
            var detailed = call(id, trace: id, start: 9_000, pico: 5, response: "r")
            detailed.attributes.append(NewPair(key: "gen_ai.usage.cache_read.input_tokens", value: .int(9)))
            return detailed
        }
        for isFirst in [true, false] {
            let sample = try Sample(database)
            if isFirst { try await sample.add([detailed(2)]) }
            try await sample.add([call(1, pico: 12, response: "r")])
            if !isFirst { try await sample.add([detailed(2)]) }
            #expect(try await sum(sample) == 5, "\(isFirst)")
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func whatSaysThatThereIsNoIdIsNone(database: HotDatabase) async throws {
        let sample = try Sample(database)
        for (place, id) in ["None", "null", "0", "none", "undefined", "nil"].enumerated() {
            let number = UInt64(place) * 2 + 1
            try await sample.add([
                call(number, trace: number, pico: 1, response: id),
                call(number + 1, trace: number + 1, pico: 1, response: id),
            ])
        }
        #expect(try await sum(sample) == 12)
    }

    @Test(arguments: HotDatabase.allCases)
    func countsThatContradictEachOtherAreNotAddedUp(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var absurd = call(1, pico: nil)
        absurd.attributes[2] = NewPair(key: "gen_ai.usage.input_tokens", value: .int(.max))
        try await sample.add([absurd, call(2, pico: nil)])
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        #expect(rows.map(\.inputTokens) == [10])
    }

    @Test(arguments: HotDatabase.allCases)
    func anAgentWithoutANameIsKnownByItsId(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let agent = placed(Sample.span(1, name: "agent", [("gen_ai.agent.id", .string("asst_1"))]), 1, 0)
        try await sample.add([agent, call(2, parent: 1, pico: 7)])
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .agent, in: Sample.window)).rows
        #expect(rows.map { "\($0.key.who ?? "-") \($0.picoDollars)" } == ["asst_1 7"])
    }

    @Test(arguments: HotDatabase.allCases)
    func anIdThatEveryCallHasIsNoResponses(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add((1...600).map { call($0, pico: 1, response: "same") })
        #expect(try await sum(sample) == 1)
        // Each of the 599 that were taken back has two entries by now.
        try await sample.add((601...610).map { call($0, pico: 1, response: "same") })
        #expect(try await sum(sample) == 11)
    }

    @Test(arguments: HotDatabase.allCases)
    func anAggregateIsPaidForUntilACallBelowItIs(database: HotDatabase) async throws {
        // A workflow, in it an agent, in it a step, in it a call; beside the agent one that says nothing of its calls.
        let spans = [
            agent(1, pico: 100), agent(2, parent: 1, pico: 40), placed(Sample.span(3, name: "step"), 1, 2),
            call(4, parent: 3, pico: 7), agent(5, parent: 1, pico: 60),
        ]
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<(database == .sqlite ? 20 : 6) {
            let sample = try Sample(database)
            let order = spans.shuffled(using: &random)
            for span in order { try await sample.add([span]) }
            #expect(try await sum(sample) == 67, "\(order.map(\.spanID))")
        }
        let sample = try Sample(database)
        try await sample.add([spans[0]])
        #expect(try await sum(sample) == 100)
        try await sample.add([spans[1]])
        #expect(try await sum(sample) == 40)
        try await sample.add([spans[2], call(9, parent: 3, pico: nil)])
        #expect(try await sum(sample) == 40)
        try await sample.add([spans[3], spans[4]])
        #expect(try await sum(sample) == 67)
        // Of parents in a circle one is paid, and what another tenant sends under the same ids changes nothing.
        try await sample.add([agent(20, parent: 21, trace: 2, pico: 3), agent(21, parent: 20, trace: 2, pico: 3)])
        try await sample.add([call(22, parent: 5, pico: 1)], tenant: "acme")
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .tenant, in: Sample.window)).rows
        #expect(rows.map(\.picoDollars) == [70])
    }

    @Test(arguments: HotDatabase.allCases)
    func ofAggregatesInACircleOneIsPaid(database: HotDatabase) async throws {
        let circle = [agent(1, parent: 2, pico: 3), agent(2, parent: 3, pico: 3), agent(3, parent: 1, pico: 3)]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let sample = try Sample(database)
            for place in order { try await sample.add([circle[place]]) }
            #expect(try await sum(sample) == 3, "\(order)")
        }
        let sample = try Sample(database)
        // All at once; one that is its own parent; and a call below such.
        let alone = [agent(4, parent: 4, trace: 2, pico: 20), agent(5, parent: 5, trace: 3, pico: 300)]
        try await sample.add(circle + alone)
        #expect(try await sum(sample) == 323)
        try await sample.add([call(6, parent: 5, trace: 3, pico: 7), agent(7, parent: 4, trace: 2, pico: 40)])
        #expect(try await sum(sample) == 50)
        try await sample.add([call(8, parent: 2, pico: 9)])
        #expect(try await sum(sample) == 56)
    }

    @Test func partsOfATraceThatTwoCollectorsStoreAtOnceAreCorrected() async throws {
        let schema = try PostgresSchema()
        let (one, two) = (try PostgresSample(schema: schema), try PostgresSample(schema: schema))
        // Then neither has to make tables or partitions.
        try await one.export(PostgresSample.record(1, [Sample.span(90)]))
        try await two.export(PostgresSample.record(1, [Sample.span(91)]), journal: 8)
        func batch(_ journal: UInt64, _ sequence: UInt64, _ spans: [SpanFixture]) -> FrozenBatch {
            FrozenBatch(
                journal: JournalID(value: journal), records: [PostgresSample.record(sequence, spans)],
                recoveredThrough: 0)
        }
        let costs = batch(7, 2, [agent(1, pico: 100), call(4, parent: 3, pico: 7)])
        let between = batch(8, 2, [placed(Sample.span(3, name: "step"), 1, 1)])
        // Both have corrected what they see, or wait to, when the first can end.
        let other = try schema.open()
        try other.run("BEGIN; LOCK TABLE ledger IN SHARE MODE")
        // A lock is waited for for five seconds, and a look at it may come later.
        @Sendable func store(_ batch: FrozenBatch, _ exporter: PostgresExporter) async throws(ExportError) {
            while true {
                do throws(ExportError) { return try await exporter.export(batch) } catch {
                    guard case .retryable = error else { throw error }
                }
            }
        }
        let exporters = (one.exporter, two.exporter)
        async let first: Void = store(costs, exporters.0)
        async let second: Void = store(between, exporters.1)
        let waiting = """
            SELECT count(DISTINCT w.pid) FROM pg_locks w WHERE NOT w.granted AND w.pid IN (
                SELECT h.pid FROM pg_locks h WHERE h.relation = 'spans'::regclass AND h.mode = 'RowExclusiveLock')
            """
        try await eventually("both wait") { try PostgresSchema.rows(waiting, on: other) == ["2"] }
        try other.run("COMMIT")
        _ = try await (first, second)
        #expect(try schema.rows("SELECT (sum(total_cost) * 1000000000000)::bigint FROM cost_ledger") == ["7"])
    }

    @Test(arguments: HotDatabase.allCases)
    func anAggregateIsNoCallWhateverItsSenderSaysOfItsCost(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var outer = agent(1, pico: 100)
        outer.attributes.append(NewPair(key: "gen_ai.usage.cost", value: .double(0.5)))
        try await sample.add([outer])
        #expect(try await sum(sample) == 100)
        #expect(try await calls(sample) == 0)
        try await sample.add([call(2, parent: 1, pico: 7)])
        #expect(try await sum(sample) == 7)
        #expect(try await calls(sample) == 1)
    }

    @Test(arguments: HotDatabase.allCases)
    func aCallIsTheNearestAgentsWhateverCameFirst(database: HotDatabase) async throws {
        func named(_ id: UInt64, parent: UInt64, _ name: String) -> SpanFixture {
            placed(Sample.span(id, name: "agent", [("gen_ai.agent.name", .string(name))]), 1, parent)
        }
        let spans = [
            named(1, parent: 0, "outer"), named(2, parent: 1, "inner"), placed(Sample.span(3, name: "step"), 1, 2),
            call(4, parent: 3, pico: 7), call(5, parent: 1, pico: 20), call(6, parent: 99, pico: 300),
        ]
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        for _ in 0..<(database == .sqlite ? 12 : 5) {
            let sample = try Sample(database)
            let order = spans.shuffled(using: &random)
            for span in order { try await sample.add([span]) }
            let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .agent, in: Sample.window)).rows
            let found = rows.map { "\($0.key.who ?? "-") \($0.picoDollars) \($0.calls)" }
            #expect(found == ["- 300 1", "outer 20 1", "inner 7 1"], "\(order.map(\.spanID))")
            #expect(try await sum(sample) == 327)
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func allCallsOfABatchAreTheirAgents(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let agents = (0..<30 as Range<UInt64>).map {
            placed(Sample.span($0 + 1, name: "agent", [("gen_ai.agent.name", .string("planner"))]), $0, 0)
        }
        let calls = (0..<1_500 as Range<UInt64>).map {
            call($0 + 100, parent: $0 % 30 + 1, trace: $0 % 30, start: Int64($0) * 1_000, pico: 1)
        }
        try await sample.add(agents + calls)
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .agent, in: Sample.window)).rows
        #expect(rows.map { "\($0.key.who ?? "-") \($0.calls)" } == ["planner 1500"])
    }

    @Test(arguments: HotDatabase.allCases)
    func otherPricesAreEntriesOfTheirOwn(database: HotDatabase) async throws {
        let sample = try Sample(database)
        // One by an old price, one that no list had, one that no list has, and an aggregate that says no tokens.
        let spans = [
            call(1, pico: 5, model: "gpt-4o"), call(2, pico: nil, model: "gpt-4o"),
            call(3, pico: 9, model: "unheard-of"),
            agent(4, trace: 2, pico: 50),
        ]
        try await sample.add(spans)
        let repricing = Repricing(table: try PriceVectorTests.table())
        func apply() async throws -> Int {
            let day = Day(Timestamp(nanoseconds: Sample.start))
            var query = StandingCostQuery(.one(Sample.tenant), in: TimeWindow(from: day.start, to: (day + 1).start))
            query.limit = 1
            var (count, hasMore) = (0, true)
            while hasMore {
                let page = try await sample.reader.page(query)
                count += try await sample.store.costRewriter.write(page.rows.compactMap(repricing.reprice))
                (query.after, hasMore) = (page.rows.last?.key, page.hasMore)
            }
            return count
        }
        #expect(try await sum(sample) == 64)
        #expect(try await apply() == 2)
        // Ten tokens of 2,500,000 each.
        #expect(try await sum(sample) == 50_000_059)
        #expect(try await calls(sample) == 3)
        #expect(try await sample.reader.page(UnpricedQuery(.one(Sample.tenant), in: Sample.window)).rows == [])
        let rows = try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .status, in: Sample.window)).rows
        #expect(
            rows.map { "\($0.key.who ?? "-") \($0.calls) \($0.picoDollars)" } == [
                "priced 3 50000009", "aggregate 0 50",
            ])
        // Done again, or sent again, it changes nothing.
        #expect(try await apply() == 0)
        try await sample.add(spans)
        #expect(try await sum(sample) == 50_000_059)
    }

    @Test(arguments: HotDatabase.allCases)
    func nobodyTakesTheCallOfAnotherTenantByItsIDs(database: HotDatabase) async throws {
        let sample = try Sample(database)
        // The same trace, span and start; one that came first would have been the only one.
        try await sample.add([call(1, pico: nil, model: "gpt-4o")], tenant: "acme")
        try await sample.add([call(1, pico: 7)])
        func ours() async throws -> [String] {
            try await sample.reader.page(CostQuery(.one(Sample.tenant), by: .model, in: Sample.window)).rows.map {
                "\($0.calls) \($0.picoDollars)"
            }
        }
        #expect(try await ours() == ["1 7"])
        let day = Day(Timestamp(nanoseconds: Sample.start))
        let window = TimeWindow(from: day.start, to: (day + 1).start)
        let repricing = Repricing(table: try PriceVectorTests.table())
        let found = try await sample.reader.page(StandingCostQuery(.one(Tenant("acme")), in: window)).rows
        #expect(try await sample.store.costRewriter.write(found.compactMap(repricing.reprice)) == 1)
        #expect(try await ours() == ["1 7"], "another price of theirs is none of ours")
    }

    @Test(arguments: HotDatabase.allCases)
    func aPriceThatComesLateTakesTheAggregateAboveBack(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([agent(1, pico: 50), call(2, parent: 1, pico: nil, model: "gpt-4o")])
        #expect(try await sum(sample) == 50)
        let day = Day(Timestamp(nanoseconds: Sample.start))
        let query = StandingCostQuery(.one(Sample.tenant), in: TimeWindow(from: day.start, to: (day + 1).start))
        let repricing = Repricing(table: try PriceVectorTests.table())
        let repriced = try await sample.reader.page(query).rows.compactMap(repricing.reprice)
        #expect(try await sample.store.costRewriter.write(repriced) == 1)
        // Ten tokens of 2,500,000 each.
        #expect(try await sum(sample) == 25_000_000)
    }

    /// A day of traffic: resends of single spans, whole requests that come again, calls that are seen twice, aggregates
    /// of which some have calls below them that come late.
    @Test(arguments: HotDatabase.allCases)
    func theLedgerOfADayIsWhatWasSpent(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        var spent: Int128 = 0
        var spans: [SpanFixture] = []
        for trace in 1...120 as ClosedRange<UInt64> {
            let first = trace * 100
            let start = Int64.random(in: -3_600_000_000_000...70_000_000_000_000, using: &random)
            var costs: [Int64] = []
            for number in 0..<UInt64.random(in: 0...3, using: &random) {
                let pico = Int64.random(in: 1...9_000_000_000_000, using: &random)
                costs.append(pico)
                var leaf = call(
                    first + 10 + number, parent: first + 1, trace: trace, start: start, pico: pico,
                    response: number == 0 ? "r\(trace)" : nil, user: "u\(trace % 7)")
                spans.append(leaf)
                if number == 0 {
                    // The gateway's view of it starts later, and is taken back.
                    leaf.spanID = first + 50
                    leaf.parentSpanID = leaf.parentSpanID + 9
                    leaf.startTime += 1_000
                    spans.append(leaf)
                }
            }
            var root = agent(first + 1, trace: trace, pico: costs.isEmpty ? 77 : costs.reduce(1, +) % 1_000_000)
            root.startTime = UInt64(Int64(Sample.start) + start)
            root.endTime = root.startTime + 1
            spans.append(root)
            spent += costs.isEmpty ? 77 : costs.reduce(0) { $0 + Int128($1) }
        }
        spans += spans.prefix(60)
        spans.shuffle(using: &random)
        while !spans.isEmpty {
            let count = min(spans.count, Int.random(in: 1...40, using: &random))
            try await sample.add(Array(spans.prefix(count)))
            spans.removeFirst(count)
        }
        #expect(try await sum(sample) == spent)
        for dimension in [CostQuery.Dimension.user, .model, .day, .trace, .span, .source] {
            var query = CostQuery(.one(Sample.tenant), by: dimension, in: Sample.window)
            query.limit = 10_000
            let rows = try await sample.reader.page(query).rows
            #expect(rows.reduce(0) { $0 + $1.picoDollars } == spent, "\(dimension)")
        }
    }
}
