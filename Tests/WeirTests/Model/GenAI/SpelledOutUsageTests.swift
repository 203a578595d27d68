import Testing

@testable import Weir

/// Usage that spans have in objects and answers, in OpenTelemetry's names.
struct SpelledOutUsageTests {
    /// What is added, as `key=value`, sorted; without the common beginning of keys.
    private func added(_ attributes: [(String, NewValue)]) throws -> [String] {
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        var batch = try SpanFixture.batch([span])
        var genAI = GenAIAttributes()
        genAI.find(in: batch.spans[0].attributes, of: batch)
        SpelledOutUsage.add(to: 0, genAI, of: &batch)
        return try batch.attributesAfterExport(of: .span(0)).dropFirst(attributes.count)
            .map { $0.replacing("gen_ai.usage.", with: "").replacing("gen_ai.", with: "") }.sorted()
    }

    private func answer(_ key: String, _ json: String) throws -> [String] {
        try added([("gen_ai.operation.name", .string("chat")), (key, .string(json))])
    }

    @Test func theAnswersOfProvidersSayWhatWasUsed() throws {
        let openAI = """
            {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","service_tier":"flex",
             "choices":[],"usage":{"prompt_tokens":1500,"completion_tokens":120,"total_tokens":1620,
             "prompt_tokens_details":{"cached_tokens":500},"completion_tokens_details":{"reasoning_tokens":20}}}
            """
        #expect(
            try answer("output.value", openAI) == [
                "cache_read.input_tokens=500", "input_tokens=1500", "openai.response.service_tier=\"flex\"",
                "output_tokens=120", "reasoning.output_tokens=20", "response.id=\"chatcmpl-1\"",
                "response.model=\"gpt-4o-2024-08-06\"",
            ])
        let responses = """
            {"id":"resp_1","object":"response","model":"m","usage":{"input_tokens":10,"output_tokens":2,
             "total_tokens":12,"input_tokens_details":{"cached_tokens":4},
             "output_tokens_details":{"reasoning_tokens":0}}}
            """
        #expect(
            try answer("traceloop.entity.output", responses) == [
                "cache_read.input_tokens=4", "input_tokens=10", "output_tokens=2", "response.id=\"resp_1\"",
                "response.model=\"m\"",
            ])
        let anthropic = """
            {"id":"msg_1","type":"message","model":"claude-sonnet-4","content":[],"usage":{"input_tokens":1000,
             "output_tokens":120,"cache_read_input_tokens":500,"cache_creation_input_tokens":40,
             "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":30}}}
            """
        #expect(
            try answer("langfuse.observation.output", anthropic) == [
                "cache_read.input_tokens=500", "cache_write.input_tokens=40", "input_tokens=1540", "output_tokens=120",
                "provider.name=\"anthropic\"", "response.id=\"msg_1\"", "response.model=\"claude-sonnet-4\"",
                "weir.usage.cache_write_1h_tokens=30",
            ])
        let google = """
            {"responseId":"r","modelVersion":"gemini-2.5-pro","candidates":[],"usageMetadata":{"promptTokenCount":100,
             "candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150,"cachedContentTokenCount":60}}
            """
        #expect(
            try answer("gen_ai.completion", google) == [
                "cache_read.input_tokens=60", "input_tokens=100", "output_tokens=50", "provider.name=\"gcp.gemini\"",
                "reasoning.output_tokens=30", "response.id=\"r\"", "response.model=\"gemini-2.5-pro\"",
            ])
    }

    @Test func librariesHaveObjectsOfTheirOwn() throws {
        let langfuse =
            #"{"input":1000,"input_cached_tokens":500,"output":100,"output_reasoning_tokens":20,"total":1620}"#
        let generation: [(String, NewValue)] = [("langfuse.observation.type", .string("generation"))]
        #expect(
            try added(generation + [("langfuse.observation.usage_details", .string(langfuse))]) == [
                "cache_read.input_tokens=500", "input_tokens=1500", "output_tokens=120", "reasoning.output_tokens=20",
            ])
        // LiteLLM has it as Python prints it, beside counts without the details.
        let repr =
            "{'prompt_tokens': 1500, 'prompt_tokens_details': {'audio_tokens': None, 'cached_tokens': 500}, 'x': True}"
        let said: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(1_500)),
        ]
        #expect(try added(said + [("metadata.usage_object", .string(repr))]) == ["cache_read.input_tokens=500"])
        let details = "{'audio': 0, 'cache_read': 500, 'cache_creation': 7}"
        #expect(
            try added(said + [("gen_ai.usage.input_token_details", .string(details))]) == [
                "cache_read.input_tokens=500", "cache_write.input_tokens=7",
            ])
        // As a value of its own, not as text.
        let list = NewValue.kvlist([NewPair(key: "input_tokens", value: .int(3))])
        #expect(try added(generation + [("langfuse.observation.usage_details", list)]) == ["input_tokens=3"])
        // MLflow's names stand in quotes.
        #expect(
            try added([("mlflow.spanType", .string("\"LLM\"")), ("model", .string("\"gpt-4o\""))])
                == ["request.model=\"gpt-4o\""])
    }

    @Test func whatIsSaidAlreadyStays() throws {
        let said: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(7)),
            ("gen_ai.usage.cache_read.input_tokens", .int(1)),
            ("output.value", .string(#"{"usage":{"prompt_tokens":1}}"#)),
            ("langsmith.usage_metadata", .string(#"{"input_tokens":9,"input_token_details":{"cache_read":9}}"#)),
        ]
        #expect(try added(said) == [])
        // An agent's answer is no answer of a provider.
        let agent: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("invoke_agent")),
            ("output.value", .string(#"{"usage":{"prompt_tokens":1}}"#)),
        ]
        #expect(try added(agent) == [])
    }

    @Test(arguments: [
        "", "{", "[]", "{}", "null", "hello", "{'", #"{"usage":[]}"#, #"{"usage":{}}"#, #"{"usage":{"input":"x"}}"#,
        #"{"usage":{"prompt_tokens":null}}"#, String(repeating: "{\"usage\":", count: 1_000),
        String(repeating: "[", count: 100_000), "{'a': 'it''s'}",
    ])
    func whatIsNoAnswerSaysNothing(json: String) throws {
        #expect(try answer("output.value", json) == [])
    }

    @Test func whatIsTooLongIsNotRead() throws {
        let long = #"{"usage":{"prompt_tokens":1},"text":""# + String(repeating: "x", count: 2 << 20) + "\"}"
        #expect(try answer("output.value", long) == [])
    }

    @Test func countsThatAreNoneStayWrong() throws {
        // The processor then says that they are inconsistent.
        #expect(
            try answer("output.value", #"{"usage":{"prompt_tokens":-5,"completion_tokens":1.5}}"#) == [
                "input_tokens=-5", "output_tokens=-1",
            ])
    }

    /// Two who see one call know it by that: the SDK's instrumentation, and the gateway.
    @Test func aCallThatSaysItsCountsIsStillNamedByItsAnswer() throws {
        let said: [(String, NewValue)] = [
            ("openinference.span.kind", .string("LLM")), ("llm.model_name", .string("gpt-4o")),
            ("llm.token_count.prompt", .int(1_500)), ("llm.token_count.completion", .int(120)),
        ]
        let openAI = """
            {"id":"chatcmpl-1","choices":[{"message":{"content":"\(String(repeating: "x", count: 9_000))"}}],
             "model":"gpt-4o-2024-08-06","service_tier":"flex","usage":{"prompt_tokens":7,"completion_tokens":8}}
            """
        let names = ["response.id=\"chatcmpl-1\"", "response.model=\"gpt-4o-2024-08-06\""]
        #expect(try added(said + [("output.value", .string(openAI))]) == names)
        let google = """
            {"candidates":["\(String(repeating: "x", count: 9_000))"],"modelVersion":"gemini-2.5-pro","responseId":"r",
             "usageMetadata":{"promptTokenCount":100}}
            """
        #expect(
            try added(said + [("output.value", .string(google))])
                == ["response.id=\"r\"", "response.model=\"gemini-2.5-pro\""])
        // Langfuse's counts are in an object.
        let generation: [(String, NewValue)] = [
            ("langfuse.observation.type", .string("generation")),
            ("langfuse.observation.usage_details", .string(#"{"input":3}"#)),
            ("langfuse.observation.output", .string(openAI)),
        ]
        #expect(try added(generation) == ["input_tokens=3"] + names)
        // What is named already stays, and so does what a model has said itself.
        let named: [(String, NewValue)] = [("gen_ai.response.id", .string("own"))]
        #expect(try added(said + named + [("output.value", .string(openAI))]) == [])
        #expect(try added(said + [("output.value", .string(#"{"id":"chair-7","name":"a chair"}"#))]) == [])
        #expect(try added(said + [("output.value", .string(#"{"id":"chair-7","usage":"sitting"}"#))]) == [])
        let agent: [(String, NewValue)] = [("gen_ai.operation.name", .string("invoke_agent"))]
        #expect(try added(agent + said.suffix(2) + [("output.value", .string(openAI))]) == [])
    }

    @Test func whatWasWrittenToACacheIsAtLeastWhatWasKeptForSomeTime() throws {
        func writes(_ details: String) throws -> [String] {
            let object = #"{"input_tokens":1400,"output_tokens":10,"input_token_details":{\#(details)}}"#
            return try added([
                ("langsmith.span.kind", .string("llm")), ("langsmith.metadata.usage_metadata", .string(object)),
            ]).filter { $0.contains("cache") }
        }
        // As langchain-anthropic has it.
        let short = #""cache_read":0,"cache_creation":0,"ephemeral_5m_input_tokens":400,"ephemeral_1h_input_tokens":0"#
        #expect(try writes(short) == ["cache_write.input_tokens=400"])
        let hour = #""cache_creation":0,"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":300"#
        #expect(try writes(hour) == ["cache_write.input_tokens=400", "weir.usage.cache_write_1h_tokens=300"])
        let both = #""cache_creation":500,"ephemeral_1h_input_tokens":300"#
        #expect(try writes(both).first == "cache_write.input_tokens=500")
        #expect(try writes(#""cache_creation":5,"ephemeral_5m_input_tokens":-3"#) == ["cache_write.input_tokens=-1"])
        // The span says 0 of all, and its details know better.
        let said: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.cache_creation.input_tokens", .int(0)),
            ("gen_ai.usage.input_token_details", .string("{'ephemeral_5m_input_tokens': 400}")),
        ]
        #expect(try added(said) == ["cache_write.input_tokens=400"])
    }

    @Test func partsOfAnswersOfAllKindsAreRead() throws {
        let responses = #"{"usage":{"input_tokens":9,"input_tokens_details":{"cache_write_tokens":4}}}"#
        #expect(try answer("output.value", responses) == ["cache_write.input_tokens=4", "input_tokens=9"])
        let transcription = #"{"usage":{"input_tokens":9,"input_token_details":{"text_tokens":2,"audio_tokens":7}}}"#
        #expect(try answer("output.value", transcription) == ["audio.input_tokens=7", "input_tokens=9"])
        let image = """
            {"usage":{"input_tokens":9,"output_tokens":5,"input_tokens_details":{"text_tokens":2,"image_tokens":7},
             "output_tokens_details":{"image_tokens":5}}}
            """
        #expect(
            try answer("output.value", image)
                == ["image.input_tokens=7", "image.output_tokens=5", "input_tokens=9", "output_tokens=5"])
    }
}
