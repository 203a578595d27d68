import Foundation
import Logging
import Testing

@testable import Weir

struct CostProcessorTests {
    private let metrics = MetricRegistry()

    private func processor(overrides: String = "") throws -> CostProcessor {
        let file = PriceVectorTests.file
        var own = Fields([], file: "own")
        var lists: [PriceFile] = []
        if let list = own.file("prices", default: file, "", PriceFile.init) { lists.append(list) }
        var reader = YAMLReader(file: "overrides", environment: [:])
        if let root = reader.read(overrides) {
            lists.append(own.descend(into: root, path: "", PriceFile.init).value)
        }
        #expect(own.diagnostics.lines == [])
        return CostProcessor(
            CostConfiguration(PriceTable(lists)),
            Context(
                id: ComponentID(type: "cost", name: nil),
                logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }, metrics: metrics))
    }

    /// The attributes that begin with `weir.cost.`, without that.
    private func cost(
        _ attributes: [(String, NewValue)], tenant: String = "default", startTime: UInt64? = nil, overrides: String = ""
    ) throws -> [String: String] {
        var processor = try processor(overrides: overrides)
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        if let startTime { span.startTime = startTime }
        var batch = try SpanFixture.batch([span])
        batch.tenant = tenant
        processor.process(&batch)
        var found: [String: String] = [:]
        for index in batch.spans[0].attributes.indices where !batch.attributes[index].isRemoved {
            let key = batch.text(batch.attributes[index].key)
            guard key.hasPrefix("weir.cost."), case .string(let text) = batch.value(of: batch.attributes[index]) else {
                continue
            }
            #expect(found[String(key.dropFirst(10))] == nil)
            found[String(key.dropFirst(10))] = String(decoding: text, as: UTF8.self)
        }
        return found
    }

    private let chat: [(String, NewValue)] = [
        ("gen_ai.operation.name", .string("chat")), ("gen_ai.provider.name", .string("openai")),
        ("gen_ai.request.model", .string("gpt-4o")), ("gen_ai.usage.input_tokens", .int(1_500)),
        ("gen_ai.usage.cache_read.input_tokens", .int(500)), ("gen_ai.usage.output_tokens", .int(120)),
    ]

    @Test func aCallIsPricedInParts() throws {
        #expect(
            try cost(chat) == [
                "status": "priced", "total": "0.004325", "price": "openai/gpt-4o", "input": "0.0025",
                "cache_read": "0.000625", "output": "0.0012", "cache_basis": "inclusive",
            ])
    }

    @Test func everyVocabularyGivesTheSamePrice() throws {
        let openInference: [(String, NewValue)] = [
            ("openinference.span.kind", .string("LLM")), ("llm.model_name", .string("gpt-4o")),
            ("llm.provider", .string("openai")), ("llm.token_count.prompt", .int(1_500)),
            ("llm.token_count.prompt_details.cache_read", .int(500)), ("llm.token_count.completion", .int(120)),
        ]
        let vercel: [(String, NewValue)] = [
            ("ai.operationId", .string("ai.generateText.doGenerate")), ("ai.model.provider", .string("openai.chat")),
            ("ai.model.id", .string("gpt-4o")), ("ai.usage.inputTokens", .int(1_500)),
            ("ai.usage.cachedInputTokens", .int(500)), ("ai.usage.outputTokens", .double(120)),
        ]
        let traceloop: [(String, NewValue)] = [
            ("llm.request.type", .string("chat")), ("gen_ai.system", .string("OpenAI")),
            ("gen_ai.request.model", .string("gpt-4o")), ("gen_ai.usage.prompt_tokens", .string("1500")),
            ("gen_ai.usage.cache_read_input_tokens", .int(500)), ("gen_ai.usage.completion_tokens", .int(120)),
        ]
        for attributes in [openInference, vercel, traceloop] {
            #expect(try cost(attributes)["total"] == "0.004325", "\(attributes)")
        }
    }

    @Test func anAgentSumsUpAndCostsNothing() throws {
        var agent = chat
        agent[0].1 = .string("invoke_agent")
        // What it would cost, should no call be stored below it: not a cost of its own.
        #expect(try cost(agent) == ["status": "aggregate", "aggregate": "0.004325", "price": "openai/gpt-4o"])
        #expect(
            try cost([("ai.operationId", .string("ai.generateText")), ("ai.usage.inputTokens", .int(3))])
                == ["status": "aggregate"])
    }

    @Test func whatIsNoCallOfAModelIsLeftAlone() throws {
        #expect(try cost([("http.route", .string("/"))]) == [:])
        #expect(try cost([("gen_ai.tool.name", .string("search"))]) == [:])
    }

    @Test func anUnknownModelIsUnpricedAndCounted() throws {
        var call = chat
        call[2].1 = .string("gpt-4o-x")
        // How its counts were read is said, for who finds a price later.
        #expect(try cost(call) == ["status": "unpriced", "cache_basis": "inclusive"])
        #expect(metrics.render().contains("weir_cost_unpriced_spans{cost=\"cost\",model=\"gpt-4o-x\"} 1"))
    }

    @Test func aCallThatDoesNotSayWhatItUsedIsUnpriced() throws {
        #expect(try cost(Array(chat[..<3])) == ["status": "unpriced"])
    }

    @Test(arguments: [
        NewValue.int(-5), .double(.nan), .string("many"), .int(.max), .double(1.5),
    ])
    func hostileCountsAreInconsistent(_ value: NewValue) throws {
        var call = chat
        call[3].1 = value
        #expect(try cost(call) == ["status": "inconsistent"])
    }

    @Test func aSenderCannotNameItsPrice() throws {
        let own: [(String, NewValue)] = [
            ("weir.cost.total", .string("0")), ("weir.cost.output", .int(0)), ("weir.cost.anything", .int(0)),
        ]
        #expect(try cost(own + chat)["total"] == "0.004325")
        #expect(try cost(own + [("gen_ai.tool.name", .string("x"))]) == [:])
    }

    @Test func anthropicsOwnWayOfCountingIsKnownByItsSpelling() throws {
        let raw: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.system", .string("Anthropic")),
            ("gen_ai.response.model", .string("claude-sonnet-4-5-20250929")),
            ("gen_ai.usage.input_tokens", .int(1_000)), ("gen_ai.usage.cache_read_input_tokens", .int(100)),
            ("gen_ai.usage.output_tokens", .int(10)),
        ]
        let found = try cost(raw)
        #expect(found["cache_basis"] == "exclusive" && found["input"] == "0.003")
    }

    @Test func theModelThatAnsweredGoesBeforeTheOneThatWasAskedFor() throws {
        #expect(try cost(chat + [("gen_ai.response.model", .string("gpt-4o-mini"))])["price"] == "openai/gpt-4o-mini")
        #expect(try cost(chat + [("gen_ai.response.model", .string("our-deployment"))])["price"] == "openai/gpt-4o")
    }

    @Test func aServiceTierHasItsOwnPrice() throws {
        let flex: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("gpt-5.6")),
            ("gen_ai.usage.input_tokens", .int(1_000)), ("openai.response.service_tier", .string("flex")),
        ]
        #expect(try cost(flex)["total"] == "0.002")
        #expect(try cost(flex + [("openai.response.service_tier", .string("unheard-of"))])["total"] == "0.002")
    }

    /// What a tier says in dollars is its price of a request of the usual length.
    @Test func aTierOfALongRequestIsAsMuchCheaperAsThatOfAShortOne() throws {
        func flex(_ tokens: Int64) throws -> String? {
            try cost([
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("gpt-5.4")),
                ("gen_ai.usage.input_tokens", .int(tokens)), ("openai.response.service_tier", .string("flex")),
            ])["total"]
        }
        #expect(try flex(200_000) == "0.25" && flex(300_000) == "0.75")
    }

    private static let lists = """
        models:
          - { provider: openai, model: gpt-4o, tenant: acme, prices: { input: 1, output: 1 } }
          - { provider: openai, model: gpt-4o, until: 2023-11-14, prices: { input: 100 } }
          - { provider: openai, model: house, from: 2023-11-15, prices: { input: 7, output: 0 } }
          - { provider: openai, model: house, until: 2023-11-15, prices: { input: 3, output: 0 } }
          - { provider: deepseek, model: night, prices: { input: 4 }, off_peak: { windows: [ { weekdays: [2], hours: ["22:00-24:00"] } ], input: 1 } }
        """

    @Test func aTenantsPriceGoesBeforeAllOthersAndADatedOneHoldsInItsTime() throws {
        #expect(try cost(chat, tenant: "acme", overrides: Self.lists)["total"] == "0.00162")
        #expect(try cost(chat, overrides: Self.lists)["total"] == "0.004325")
        var call = chat
        call[2].1 = .string("house")
        // 2023-11-14T22:13:20Z, a Tuesday, and a day later.
        #expect(try cost(call, overrides: Self.lists)["price"] == "openai/house")
        #expect(try cost(call, overrides: Self.lists)["input"] == "0.003")
        let next = SpanFixture().startTime + 86_400_000_000_000
        let later = try cost(call, startTime: next, overrides: Self.lists)
        #expect(later["price"] == "openai/house@2023-11-15" && later["input"] == "0.007")
    }

    @Test func nightsMayCostLess() throws {
        let call: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("night")),
            ("gen_ai.usage.input_tokens", .int(1_000_000)),
        ]
        #expect(try cost(call, overrides: Self.lists)["total"] == "1")
        let day = SpanFixture().startTime - 10 * 3_600_000_000_000
        #expect(try cost(call, startTime: day, overrides: Self.lists)["total"] == "4")
    }

    @Test func modelsWithASeriesOfTheirOwnAreBounded() throws {
        var processor = try processor()
        for number in 0..<150 {
            var span = SpanFixture()
            span.attributes = [
                NewPair(key: "gen_ai.operation.name", value: .string("chat")),
                NewPair(key: "gen_ai.request.model", value: .string("m\(number)")),
                NewPair(key: "gen_ai.usage.input_tokens", value: .int(1)),
            ]
            var batch = try SpanFixture.batch([span])
            processor.process(&batch)
        }
        let lines = metrics.render().split(separator: "\n").filter { $0.hasPrefix("weir_cost_unpriced_spans{") }
        #expect(lines.count == CostTelemetry.maximumModels + 1)
        #expect(metrics.render().contains("weir_cost_unpriced_spans{cost=\"cost\",model=\"other\"} 50"))
    }

    @Test func attributesOfOnesOwnAreRead() throws {
        let yaml = """
            prices: "\(PriceVectorTests.file)"
            mappings:
              - { from: [acme.model.v2, acme.model], to: gen_ai.request.model }
              - { from: [acme.in], to: gen_ai.usage.input_tokens }
              - { from: [acme.out], to: gen_ai.usage.output_tokens }
            """
        var processor = try ProcessorFixture<CostProcessor>(yaml).processor
        var span = SpanFixture()
        span.attributes = [
            NewPair(key: "acme.model", value: .string("gpt-4o")), NewPair(key: "acme.in", value: .string("1000")),
            NewPair(key: "acme.out", value: .int(120)),
        ]
        var batch = try SpanFixture.batch([span])
        processor.process(&batch)
        func text(_ key: String) -> String? {
            guard case .string(let text)? = batch.value(of: AttributeKey(key), in: batch.spans[0].attributes) else {
                return nil
            }
            return String(decoding: text, as: UTF8.self)
        }
        #expect(text("weir.cost.total") == "0.0037")
        // The originals stay.
        #expect(text("acme.model") == "gpt-4o" && text("gen_ai.request.model") == "gpt-4o")
        let wrong = ProcessorFixture<CostProcessor>.problems(
            "prices: \(PriceVectorTests.file)\nmappings: [ { from: [a], to: acme.tokens } ]")
        #expect(wrong.count == 1 && wrong[0].contains("wanted an attribute that Weir knows"))
        #expect(
            ProcessorFixture<CostProcessor>.problems(
                "prices: \(PriceVectorTests.file)\nmappings: [ { from: [a], to: weir.cost.total } ]"
            ).count == 1)
    }

    @Test func whereNobodyCountedItIsEstimatedIfThatIsWanted() throws {
        let content: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("gpt-4o")),
            ("gen_ai.input.messages", .string(String(repeating: "x", count: 3_999))),
            ("gen_ai.output.messages", .string(String(repeating: "y", count: 480))),
        ]
        func cost(_ keys: String, _ attributes: [(String, NewValue)]) throws -> [String: String] {
            var processor = try ProcessorFixture<CostProcessor>("prices: \"\(PriceVectorTests.file)\"\n\(keys)")
                .processor
            var span = SpanFixture()
            span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
            var batch = try SpanFixture.batch([span])
            processor.process(&batch)
            var found: [String: String] = [:]
            for index in batch.spans[0].attributes.indices {
                let key = batch.text(batch.attributes[index].key)
                switch batch.value(of: batch.attributes[index]) {
                case .string(let text): found[key] = String(decoding: text, as: UTF8.self)
                case .double(let number): found[key] = "\(number)"
                default: break
                }
            }
            return found
        }
        #expect(try cost("", content)["weir.cost.status"] == "unpriced")
        let estimated = try cost("estimate: true", content)
        #expect(estimated["weir.cost.total"] == "0.0037" && estimated["weir.cost.source"] == "estimate")
        // What was counted is not estimated, nor what the sender says that it costs.
        let said = try cost("estimate: true", content + [("gen_ai.usage.cost", .double(0.5))])
        #expect(said["weir.cost.status"] == "unpriced" && said["weir.cost.total"] == nil)
        #expect(said["weir.cost.source"] == nil)
        #expect(try cost("estimate: true", chat)["weir.cost.source"] == nil)
        #expect(try cost("estimate: true", Array(content.prefix(2)))["weir.cost.status"] == "unpriced")
        let others = try cost("also_write: [gen_ai.usage.cost, llm.cost]", chat + [("llm.cost.total", .double(9))])
        #expect(others["gen_ai.usage.cost.amount"] == "0.004325" && others["gen_ai.usage.cost.currency"] == "USD")
        // What the sender says of its cost stays.
        #expect(others["llm.cost.total"] == "9.0" && others["llm.cost.prompt"] == nil)
        let open = try cost("also_write: [llm.cost]", chat)
        #expect(open["llm.cost.prompt"] == "0.003125" && open["llm.cost.completion"] == "0.0012")
    }

    @Test func whatPassesIsCountedByModel() throws {
        _ = try cost(chat)
        let text = metrics.render()
        let labels = #"{cost="cost",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"}"#
        #expect(text.contains("gen_ai_client_inference_usage_input_tokens\(labels) 1500"))
        #expect(text.contains("gen_ai_client_inference_usage_output_tokens\(labels) 120"))
        #expect(text.contains("gen_ai_client_inference_usage_cache_read_input_tokens\(labels) 500"))
        #expect(text.contains("weir_cost_nanodollars\(labels) 4325000"))
    }

    /// What langchain-anthropic says of 1,400 input tokens, of which 400 were written to the cache.
    @Test func whatLangChainSaysOfAnthropicsCacheHasItsPrice() throws {
        func call(short: Int, hour: Int) -> [(String, NewValue)] {
            let usage = """
                {"input_tokens": 1400, "output_tokens": 10, "total_tokens": 1410, "input_token_details": { \
                "cache_read": 0, "cache_creation": 0, "ephemeral_5m_input_tokens": \(short), \
                "ephemeral_1h_input_tokens": \(hour)}}
                """
            return [
                ("langsmith.span.kind", .string("llm")), ("gen_ai.system", .string("anthropic")),
                ("gen_ai.request.model", .string("claude-sonnet-4-5")),
                ("langsmith.metadata.usage_metadata", .string(usage)),
            ]
        }
        #expect(try cost(call(short: 400, hour: 0))["total"] == "0.00465")
        #expect(try cost(call(short: 0, hour: 400))["total"] == "0.00555")
    }

    private static let own = """
        models:
          - { provider: openai, model: gpt-4o, tenant: acme, prices: { input: 1, output: 1 } }
          - { provider: openai, model: gpt-4.1, prices: { input: 3, output: 3 } }
          - { provider: openai, model: "gpt-4*", tenant: globe, prices: { input: 5, output: 5 } }
          - { provider: openai, model: gpt-4o-mini, tenant: globe, prices: { input: 6, output: 6 } }
          - { provider: ollama, model: mistral-small, prices: { input: 8, output: 8 } }
        """

    /// The answer names the model with its date, which the list knows as an alias.
    @Test(
        arguments: [
            ("acme", "gpt-4o-2024-08-06", "0.00162", "openai/gpt-4o for acme"),
            ("acme", "gpt-4o-2031-01-01", "0.00162", "openai/gpt-4o for acme"),
            ("default", "gpt-4o-2024-08-06", "0.004325", "openai/gpt-4o"),
            // That one the list keeps apart.
            ("acme", "gpt-4o-2024-05-13", "0.0093", "openai/gpt-4o-2024-05-13"),
            ("acme", "gpt-4.1-2025-04-14", "0.00486", "openai/gpt-4.1"),
            ("globe", "gpt-4o-2024-05-13", "0.0081", "openai/gpt-4* for globe"),
            ("globe", "gpt-4.1", "0.0081", "openai/gpt-4* for globe"),
            ("globe", "gpt-4o-mini-2024-07-18", "0.00972", "openai/gpt-4o-mini for globe"),
        ])
    func onesOwnPriceIsThatOfTheModelThatAnswered(
        tenant: String, model: String, total: String, price: String
    ) throws {
        let call = chat + [("gen_ai.response.model", NewValue.string(model))]
        let found = try cost(call, tenant: tenant, overrides: Self.own)
        #expect(found["total"] == total && found["price"] == price, "\(found)")
    }

    @Test func aHostThatIsInNoListHasOnlyItsOwnPrices() throws {
        var call = chat
        (call[1].1, call[2].1) = (.string("ollama"), .string("mistral-small-latest"))
        #expect(try cost(call)["status"] == "unpriced")
        #expect(try cost(call, overrides: Self.own)["price"] == "ollama/mistral-small")
        (call[1].1, call[2].1) = (.string(""), .string("ollama/mistral-small"))
        #expect(try cost(call, overrides: Self.own)["price"] == "ollama/mistral-small")
    }

    @Test func searchesOfTheWebArePaidForBesideTheTokens() throws {
        let answer = """
            {"id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 1000, \
            "output_tokens": 100, "server_tool_use": {"web_search_requests": 2}}}
            """
        let found = try cost([
            ("openinference.span.kind", .string("LLM")), ("llm.model_name", .string("claude-sonnet-4-5")),
            ("output.value", .string(answer)),
        ])
        #expect(found["query"] == "0.02" && found["total"] == "0.0245")
        func searched(_ model: String) throws -> String? {
            try cost([
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model)),
                ("gen_ai.usage.input_tokens", .int(1_000)), ("weir.usage.queries", .int(1)),
            ])["total"]
        }
        // What sums up calls sums up their searches.
        let sum = try cost([
            ("langfuse.observation.type", .string("agent")), ("gen_ai.request.model", .string("claude-sonnet-4-5")),
            (
                "langfuse.observation.usage_details",
                .string(#"{"input_tokens": 1000, "output_tokens": 1, "server_tool_use": {"web_search_requests": 2}}"#)
            ),
        ])
        #expect(sum["status"] == "aggregate" && sum["total"] == nil)
        // One row has a price for them; where another has none, part of the cost would pass for all of it.
        #expect(try searched("gpt-5") == "0.01125" && searched("gpt-4o") == nil)
    }

    @Test func aListOfOnesOwnIsNamedInThePrice() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/own.yaml"
        try Data(Self.own.utf8).write(to: URL(fileURLWithPath: path))
        var processor = try ProcessorFixture<CostProcessor>(
            "prices: \"\(PriceVectorTests.file)\"\noverrides: \"\(path)\""
        ).processor
        var span = SpanFixture()
        span.attributes = chat.map { NewPair(key: $0.0, value: $0.1) }
        span.attributes[2] = NewPair(key: "gen_ai.request.model", value: .string("gpt-4.1"))
        var batch = try SpanFixture.batch([span])
        processor.process(&batch)
        #expect(try batch.attributesAfterExport(of: .span(0)).contains(#"weir.cost.price="openai/gpt-4.1 (own)""#))
    }
}
