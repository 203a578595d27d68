import Testing

@testable import Weir

/// What has made others count calls twice, or not at all: a test for each, on spans as the libraries write them.
struct CountingTrapTests {
    /// A token of input costs 1,000,000 pico-dollars here, so that amounts can be read off.
    private static let prices = """
        models:
          - { provider: openai, model: m, prices: { input: 1, cache_read: 0.1, output: 10 } }
          - provider: openai
            model: tiered
            prices: { input: 1, output: 10 }
            service_tiers: { batch: { times: 0.5 }, priority: { input: 2 } }
          - { provider: openai, model: "ft:m", prices: { input: 3, output: 20 } }
          - provider: anthropic
            model: claude-m
            prices: { input: 1, cache_read: 0.1, cache_write: 1.25, cache_write_1h: 2, output: 10 }
          - provider: bedrock
            model: anthropic.claude-m
            prices: { input: 1, output: 10 }
            regions: { eu: { times: 1.1 } }
          - provider: google
            model: gemini-m
            prices: { input: 1, cache_read: 0.1, output: 10 }
            long_context: { above: 200000, input: 2 }
          - provider: xai
            model: grok-m
            prices: { input: 1, output: 10 }
            long_context: { from: 128000, input: 2 }
          - { provider: openai, model: cheap, prices: { input: 0.005, output: 0.02 } }
          - { provider: voices, model: speaker, prices: { input_character: 15, input_second: 100, query: 2000 } }
          - provider: voices
            model: maker
            prices: { output_character: 15, output_second: 250, input_video: 3, input: 1 }
          - { provider: openai, model: dear, prices: { input: 68000 } }
        """

    /// What `weir.cost.…` says of the span.
    private func cost(
        _ attributes: [(String, NewValue)], scope: (String, String) = ("app", ""), keys: String = "",
        traceState: String = ""
    ) throws -> [String: String] {
        var reader = YAMLReader(file: "p", environment: [:])
        let found = reader.read(Self.prices)
        let root = try #require(found)
        var fields = Fields([], file: "p")
        let list = fields.descend(into: root, path: "", PriceFile.init).value
        #expect(fields.diagnostics.lines == [])
        var configuration = CostConfiguration(PriceTable([list]))
        configuration.estimates = keys.contains("estimate")
        var processor = CostProcessor(
            configuration,
            Context(id: ComponentID(type: "cost"), logger: LogCapture().logger, metrics: MetricRegistry()))
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        (span.scopeName, span.scopeVersion, span.traceState) = (scope.0, scope.1, traceState)
        var batch = try SpanFixture.batch([span])
        processor.process(&batch)
        var costs: [String: String] = [:]
        for index in batch.spans[0].attributes.indices where !batch.attributes[index].isRemoved {
            let key = batch.text(batch.attributes[index].key)
            guard key.hasPrefix("weir.cost."), case .string(let text) = batch.value(of: batch.attributes[index]) else {
                continue
            }
            costs[String(key.dropFirst(10))] = String(decoding: text, as: UTF8.self)
        }
        return costs
    }

    private func call(_ model: String, _ further: (String, NewValue)...) -> [(String, NewValue)] {
        [("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model))] + further
    }

    private static let input = "gen_ai.usage.input_tokens"
    private static let output = "gen_ai.usage.output_tokens"
    private static let read = "gen_ai.usage.cache_read.input_tokens"

    // MARK: Cached tokens are counted twice, or the input becomes negative

    @Test func aScopeThatIsKnownDecidesBeforeItsTotal() throws {
        // OpenInference for JavaScript before it was mended: a total that left out the cache's tokens.
        let raw: [(String, NewValue)] = [
            ("openinference.span.kind", .string("LLM")), ("llm.model_name", .string("claude-m")),
            ("llm.token_count.prompt", .int(1_000)), ("llm.token_count.prompt_details.cache_read", .int(500)),
            ("llm.token_count.completion", .int(100)), ("llm.token_count.total", .int(1_100)),
        ]
        let scope = "@arizeai/openinference-instrumentation-anthropic"
        let old = try cost(raw, scope: (scope, "0.1.5"))
        #expect(old["input"] == "0.001" && old["cache_read"] == "0.00005" && old["cache_basis"] == "exclusive")
        let new = try cost(raw, scope: (scope, "0.1.20"))
        #expect(new["input"] == "0.0005" && new["cache_basis"] == "inclusive")
        // Traceloop's spelling is that of Anthropic's API, and yet it adds up.
        let added = call(
            "claude-m", ("gen_ai.system", .string("Anthropic")), (Self.input, .int(1_500)),
            ("gen_ai.usage.cache_read_input_tokens", .int(500)))
        #expect(try cost(added, scope: ("opentelemetry.instrumentation.anthropic", "0.40.1"))["input"] == "0.001")
        #expect(try cost(added)["input"] == "0.0015")
    }

    @Test func theTotalTellsWhetherCachedTokensAreInput() throws {
        func counts(total: Int64) -> [(String, NewValue)] {
            call(
                "m", (Self.input, .int(1_000)), (Self.read, .int(600)), (Self.output, .int(10)),
                ("gen_ai.usage.total_tokens", .int(total)))
        }
        #expect(try cost(counts(total: 1_010))["input"] == "0.0004")
        #expect(try cost(counts(total: 1_610))["input"] == "0.001")
    }

    @Test func moreFromTheCacheThanInputStandsBesideIt() throws {
        let found = try cost(call("m", (Self.input, .int(5)), (Self.read, .int(1_000))))
        #expect(found["input"] == "0.000005" && found["cache_read"] == "0.0001" && found["cache_basis"] == "exclusive")
    }

    @Test func partsThatAreMoreThanTheWholeAreNotCutOff() throws {
        // The total says that the cache's are among the input, which they cannot be.
        let counts = call(
            "m", (Self.input, .int(100)), (Self.read, .int(500)), (Self.output, .int(10)),
            ("gen_ai.usage.total_tokens", .int(110)))
        #expect(try cost(counts) == ["status": "inconsistent"])
    }

    // MARK: Cache writes are priced as input

    @Test(arguments: [
        "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ])
    func writesToACacheHaveTheirOwnPrice(key: String) throws {
        let counts = call("claude-m", (Self.input, .int(1_000)), (key, .int(400)), (Self.output, .int(0)))
        #expect(try cost(counts)["total"] == "0.0011")
        let hour = counts + [("weir.usage.cache_write_1h_tokens", .int(100))]
        #expect(try cost(hour)["cache_write"] == "0.000375" && cost(hour)["cache_write_1h"] == "0.0002")
    }

    @Test func theAISDKPassesOnForHowLongItIsKept() throws {
        let metadata = """
            {"anthropic":{"cacheCreationInputTokens":400,"usage":{"input_tokens":600,"cache_creation_input_tokens":400,\
            "cache_creation":{"ephemeral_5m_input_tokens":300,"ephemeral_1h_input_tokens":100}}}}
            """
        let found = try cost([
            ("ai.operationId", .string("ai.generateText.doGenerate")),
            ("ai.model.provider", .string("anthropic.messages")),
            ("ai.model.id", .string("claude-m")), ("ai.usage.inputTokens", .int(600)),
            ("ai.usage.outputTokens", .int(0)), ("ai.response.providerMetadata", .string(metadata)),
        ])
        #expect(
            found["input"] == "0.0006" && found["cache_write"] == "0.000375" && found["cache_write_1h"] == "0.0002")
    }

    // MARK: Reasoning is added again, or missing

    @Test func reasoningIsOutputUnlessTheTotalNeedsIt() throws {
        func reasoning(_ model: String, total: Int64?) -> [(String, NewValue)] {
            let counts = call(
                model, (Self.input, .int(10)), (Self.output, .int(100)),
                ("gen_ai.usage.reasoning.output_tokens", .int(60)))
            return counts + (total.map { [("gen_ai.usage.total_tokens", .int($0))] } ?? [])
        }
        #expect(try cost(reasoning("m", total: nil))["total"] == "0.00101")
        #expect(try cost(reasoning("m", total: 110))["total"] == "0.00101")
        // Gemini's candidates and thoughts, and xAI's.
        #expect(try cost(reasoning("gemini-m", total: 170))["total"] == "0.00161")
        #expect(try cost(reasoning("grok-m", total: 170))["total"] == "0.00161")
    }

    // MARK: A stream says no usage

    @Test func aStreamWithoutUsageIsNotFree() throws {
        let stream = call("m", ("gen_ai.request.stream", .bool(true)))
        #expect(try cost(stream) == ["status": "unpriced"])
        let content = stream + [("gen_ai.output.messages", .string(String(repeating: "x", count: 400)))]
        #expect(try cost(content) == ["status": "unpriced"])
        let estimated = try cost(content, keys: "estimate")
        #expect(estimated["source"] == "estimate" && estimated["total"] == "0.001")
        // Nothing came, nothing can be estimated.
        #expect(try cost(stream, keys: "estimate") == ["status": "unpriced"])
    }

    // MARK: Parent and child both have the usage

    @Test(arguments: [
        // Pydantic AI and Strands of old, the AI SDK 6 and 7, OpenInference, Traceloop, Langfuse, MLflow.
        [("gen_ai.operation.name", "invoke_agent")], [("gen_ai.operation.name", "invoke_workflow")],
        [("ai.operationId", "ai.generateText")], [("ai.operationId", "ai.streamText chat-route")],
        [("gen_ai.operation.name", "agent_step")], [("openinference.span.kind", "CHAIN")],
        [("openinference.span.kind", "AGENT")], [("traceloop.span.kind", "workflow")],
        [("langfuse.observation.type", "agent")], [("mlflow.spanType", "\"AGENT\"")],
        [("openinference.span.kind", "CHAIN"), ("gen_ai.operation.name", "invoke_agent")],
    ])
    func whatSumsUpItsCallsCostsNothingOfItsOwn(marks: [(String, String)]) throws {
        let found = try cost(
            marks.map { ($0.0, .string($0.1)) } + [
                ("gen_ai.request.model", .string("m")), (Self.input, .int(1_000)), (Self.output, .int(1)),
            ])
        #expect(found["status"] == "aggregate" && found["total"] == nil && found["aggregate"] == "0.00101")
    }

    @Test func aPromptTemplateIsNoCall() throws {
        #expect(try cost([("openinference.span.kind", .string("PROMPT")), ("llm.model_name", .string("m"))]) == [:])
    }

    // MARK: Audio and images

    @Test func audioWithoutAPriceIsNotFree() throws {
        let counts = call(
            "m", (Self.input, .int(1_000)), ("gen_ai.usage.audio.input_tokens", .int(400)), (Self.output, .int(0)))
        let found = try cost(counts)
        #expect(found["total"] == "0.001" && found["input_audio"] == "0.0004")
        #expect(found["price_fallback"] == "input_audio")
        #expect(try cost(call("m", (Self.input, .int(1))))["price_fallback"] == nil)
    }

    @Test func audioFromTheCacheIsCountedOnce() throws {
        let counts = call(
            "m", (Self.input, .int(1_000)), ("gen_ai.usage.audio.input_tokens", .int(400)), (Self.read, .int(300)),
            ("gen_ai.usage.audio.cache_read.input_tokens", .int(100)))
        let found = try cost(counts)
        // 400 of text, 200 of text from the cache, 300 of audio, 100 of audio from the cache.
        #expect(found["input"] == "0.0004" && found["cache_read"] == "0.00002" && found["input_audio"] == "0.0003")
        #expect(found["cache_read_audio"] == "0.00001" && found["total"] == "0.00073")
    }

    // MARK: Long contexts, service tiers, regions, fine-tunes

    @Test func aLongRequestIsLongWithWhatCameFromTheCache() throws {
        func long(_ model: String, _ tokens: Int64) throws -> String? {
            try cost(call(model, (Self.input, .int(tokens)), (Self.output, .int(0))))["total"]
        }
        #expect(try long("gemini-m", 200_000) == "0.2" && long("gemini-m", 200_001) == "0.400002")
        #expect(try long("grok-m", 127_999) == "0.127999" && long("grok-m", 128_000) == "0.256")
        let cached = call("gemini-m", (Self.input, .int(150_000)), (Self.read, .int(160_000)))
        // Beside the input, and together above the bound: the whole request has the higher price.
        #expect(try cost(cached)["input"] == "0.3")
    }

    @Test func aServiceTierHasItsPriceAndAnUnknownOneTheStandardOne() throws {
        func tier(_ name: String) throws -> [String: String] {
            try cost(call("tiered", (Self.input, .int(1_000)), ("openai.response.service_tier", .string(name))))
        }
        #expect(try tier("batch")["total"] == "0.0005" && tier("Priority")["total"] == "0.002")
        #expect(try tier("default")["price_fallback"] == nil)
        #expect(try tier("warp")["total"] == "0.001" && tier("warp")["price_fallback"] == "service_tier")
    }

    @Test func aRegionHasItsFactor() throws {
        func region(_ model: String) throws -> String? {
            try cost(call(model, ("gen_ai.provider.name", .string("aws.bedrock")), (Self.input, .int(1_000))))["total"]
        }
        #expect(try region("anthropic.claude-m") == "0.001" && region("eu.anthropic.claude-m-v1:0") == "0.0011")
    }

    @Test func aFineTuneNeverHasThePriceOfItsBase() throws {
        #expect(try cost(call("ft:m:acme::x1", (Self.input, .int(1_000))))["total"] == "0.003")
        #expect(try cost(call("ft:tiered:acme::x1", (Self.input, .int(1_000)))) == ["status": "unpriced"])
    }

    @Test(arguments: [
        ("weir.usage.characters", NewValue.int(1_000), "0.015"), ("weir.usage.seconds", .double(60), "0.006"),
        ("weir.usage.queries", .string("2"), "0.004"), ("weir.usage.seconds", .double(59.25), "0.006"),
        ("weir.usage.seconds", .string("60.0"), "0.006"), ("weir.usage.seconds", .string("0.001"), "0.0001"),
    ])
    func whatIsNotCountedInTokensHasItsPrice(key: String, count: NewValue, total: String) throws {
        // Speech, telephony and calls of an API, by whatever name.
        let call: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("text_to_speech")), ("gen_ai.request.model", .string("speaker")),
        ]
        #expect(try cost(call + [(key, count)])["total"] == total)
        #expect(try cost(call) == [:])
    }

    // MARK: Sampling

    /// The call was made once. That seven others were left out says nothing of what those have cost.
    @Test func aSampledCallCostsWhatItCostsAndNotWhatItStandsFor() throws {
        let call = call("m", (Self.input, .int(8)))
        #expect(try cost(call, traceState: "ot=th:e") == cost(call))
        #expect(try cost(call, traceState: "ot=th:e")["total"] == "0.000008")
    }

    // MARK: Money

    @Test func aFractionOfANanodollarIsKept() throws {
        let found = try cost(call("cheap", (Self.input, .int(1)), (Self.output, .int(1))))
        #expect(found["input"] == "0.000000005" && found["total"] == "0.000000025")
    }

    @Test func whatASenderDoesNotKnowIsNotFree() throws {
        let told = call("unheard-of", (Self.input, .int(1_000)), ("gen_ai.cost.total_cost", .double(0)))
        #expect(try cost(told) == ["status": "unpriced"])
    }

    @Test(arguments: [
        ("weir.usage.output_characters", NewValue.int(1_000), "0.015"),
        ("weir.usage.output_seconds", .double(9.5), "0.0025"),
    ])
    func whatWasMadeHasItsPrice(key: String, count: NewValue, total: String) throws {
        #expect(try cost([("gen_ai.request.model", .string("maker")), (key, count)])["total"] == total)
    }

    @Test func whatWasLookedAtIsAmongTheInput() throws {
        let found = try cost(call("maker", (Self.input, .int(1_000)), ("weir.usage.input_video_tokens", .int(400))))
        #expect(found["input"] == "0.0006" && found["input_video"] == "0.0012")
    }

    @Test func anAbsurdTimeIsNone() throws {
        for seconds in [NewValue.double(-1), .double(.nan), .double(1e300), .string("long")] {
            let call = call("speaker", ("weir.usage.seconds", seconds))
            #expect(try cost(call) == ["status": "inconsistent"], "\(seconds)")
        }
    }

    // MARK: Zeros

    @Test func aStreamThatSaysZeroIsNotFree() throws {
        let zero = call("m", (Self.input, .int(0)), (Self.output, .int(0)), ("gen_ai.usage.total_tokens", .int(0)))
        #expect(try cost(zero) == ["status": "unpriced"])
        let content = zero + [("gen_ai.output.messages", .string(String(repeating: "x", count: 400)))]
        #expect(try cost(content, keys: "estimate")["total"] == "0.001")
        var agent = zero
        agent[0].1 = .string("invoke_agent")
        #expect(try cost(agent) == ["status": "aggregate"])
    }

    @Test func moreThanCanBeHeldIsInconsistent() throws {
        #expect(try cost(call("dear", (Self.input, .int(1 << 36)))) == ["status": "inconsistent"])
    }

    // MARK: Agents

    @Test func whatPydanticAICallsASumIsOne() throws {
        let agent: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("invoke_agent")), ("gen_ai.request.model", .string("m")),
            ("gen_ai.aggregated_usage.input_tokens", .int(1_000)),
            ("gen_ai.aggregated_usage.details.cache_read_tokens", .int(500)),
            ("gen_ai.aggregated_usage.output_tokens", .int(10)),
        ]
        #expect(try cost(agent)["aggregate"] == "0.00065")
    }
}
