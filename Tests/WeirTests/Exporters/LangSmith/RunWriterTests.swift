import Testing

@testable import Weir

@Suite struct RunWriterTests {
    private let usage = #"{"input_tokens":3,"output_tokens":4,"total_tokens":7}"#

    @Test func aSpanOfAnyKindIsAChain() throws {
        let run = try RunSample(SpanFixture())
        #expect(
            run.main == """
                {"id":"0af76519-16cd-43dd-8448-eb211c80319c","trace_id":"0af76519-16cd-43dd-8448-eb211c80319c",\
                "dotted_order":"20231114T221320000000Z0af76519-16cd-43dd-8448-eb211c80319c","name":"GET /users",\
                "run_type":"chain","start_time":"2023-11-14T22:13:20.000000Z",\
                "end_time":"2023-11-14T22:13:20.500000Z","session_name":"shop"}
                """)
        #expect(run.text("inputs") == "{}")
        #expect(run.text("outputs") == "{}")
        #expect(run.text("error") == "")
        #expect(run.metadata("OTEL_SPAN_ID") == #""b7ad6b7169203331""#)
        #expect(run.metadata("service.name") == #""shop""#)
    }

    @Test(arguments: [
        ("langsmith.span.kind", "Retriever", "retriever"), ("gen_ai.operation.name", "chat", "llm"),
        ("gen_ai.operation.name", "execute_tool", "tool"), ("gen_ai.operation.name", "invoke_agent", "chain"),
        ("gen_ai.operation.name", "embeddings", "embedding"), ("openinference.span.kind", "LLM", "llm"),
        ("openinference.span.kind", "PROMPT", "prompt"), ("openinference.span.kind", "RERANKER", "retriever"),
        ("traceloop.span.kind", "workflow", "chain"), ("llm.request.type", "rerank", "retriever"),
        ("ai.operationId", "ai.generateText.doGenerate", "llm"), ("ai.operationId", "ai.toolCall", "tool"),
        ("mlflow.spanType", "\"CHAT_MODEL\"", "llm"), ("openinference.span.kind", "GUARDRAIL", "chain"),
    ])
    func theKindIsOneThatLangSmithKnows(key: String, word: String, kind: String) throws {
        #expect(try RunSample(SpanFixture((key, .string(word)))).member("run_type") == "\"\(kind)\"")
    }

    @Test func messagesOfOpenTelemetryGetTheShapeThatViewersKnow() throws {
        let input = """
            [{"role":"user","parts":[{"type":"text","content":"What is 2+2? \\u2713"}]},
             {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"add","arguments":{"a":2}}]},
             {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":{"sum":4}}]},
             {"role":"user","parts":[{"type":"text","content":"and"},{"type":"blob","mime_type":"image/png",
              "content":"aGVsbG8="},{"type":"uri","uri":"https://x/y.png"}]}]
            """
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.input.messages", .string(input)),
                ("gen_ai.system_instructions", .string(#"[{"type":"text","content":"Be brief"}]"#)),
                (
                    "gen_ai.output.messages",
                    .array([
                        .kvlist([
                            NewPair(key: "role", value: .string("assistant")),
                            NewPair(
                                key: "parts",
                                value: .array([
                                    .kvlist([
                                        NewPair(key: "type", value: .string("text")),
                                        NewPair(key: "content", value: .string("4")),
                                    ])
                                ])),
                            NewPair(key: "finish_reason", value: .string("stop")),
                        ])
                    ])
                )))
        #expect(
            run.text("inputs") == #"""
                {"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"What is 2+2? \u2713"},\#
                {"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":\#
                {"name":"add","arguments":"{\"a\":2}"}}]},\#
                {"role":"tool","tool_call_id":"c1","content":"{\"sum\":4}"},\#
                {"role":"user","content":[{"type":"text","text":"and"},\#
                {"type":"text","text":"[image/png, 8 characters of base64, left out]"},\#
                {"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}
                """#)
        #expect(
            run.text("outputs")
                == #"{"messages":[{"role":"assistant","finish_reason":"stop","content":"4"}]}"#)
    }

    @Test func flattenedMessagesOfOpenInferenceAndTraceloopAreTheSame() throws {
        let run = try RunSample(
            SpanFixture(
                ("openinference.span.kind", .string("LLM")),
                ("llm.input_messages.10.message.role", .string("user")),
                ("llm.input_messages.10.message.content", .string("last")),
                ("llm.input_messages.0.message.role", .string("system")),
                ("llm.input_messages.0.message.contents.0.message_content.type", .string("text")),
                ("llm.input_messages.0.message.contents.0.message_content.text", .string("first")),
                ("llm.output_messages.0.message.role", .string("assistant")),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.id", .string("c1")),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.function.name", .string("f")),
                ("llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments", .string("{}"))))
        #expect(
            run.text("inputs")
                == #"{"messages":[{"content":"first","role":"system"},{"content":"last","role":"user"}]}"#)
        #expect(
            run.text("outputs") == #"""
                {"messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":\#
                {"name":"f","arguments":"{}"}}]}]}
                """#)
        let other = try RunSample(
            SpanFixture(
                ("llm.request.type", .string("chat")), ("gen_ai.prompt.0.role", .string("user")),
                ("gen_ai.prompt.0.content", .string("hi")), ("gen_ai.completion.0.content", .string("ho")),
                ("gen_ai.completion.0.finish_reason", .string("stop"))))
        #expect(other.text("inputs") == #"{"messages":[{"content":"hi","role":"user"}]}"#)
        #expect(
            other.text("outputs")
                == #"{"messages":[{"role":"assistant","content":"ho","finish_reason":"stop"}]}"#)
    }

    @Test(arguments: [nil, "", "Let me see."])
    func callsOfToolsStandBesideTheTextOfTheVercelSDK(text: String?) throws {
        var span = SpanFixture(
            ("ai.operationId", .string("ai.streamText.doStream")),
            ("ai.response.toolCalls", .string(#"[{"toolCallId":"c1","toolName":"f","input":{"a":1}}]"#)))
        if let text { span.attributes.append(NewPair(key: "ai.response.text", value: .string(text))) }
        #expect(
            try RunSample(span).text("outputs") == #"""
                {"messages":[{"role":"assistant","content":"\#(text ?? "")","tool_calls":[{"id":"c1",\#
                "type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}]}
                """#)
        #expect(try RunSample(span, hidesOutputs: true).text("outputs") == "{}")
    }

    @Test(arguments: [
        (#"[{"id":"c1","function":{"name":"f","arguments":"{}"}}]"#, true), (#"{"id":"c1"}"#, false), ("none", false),
    ])
    func callsOfToolsMayBeTheTextOfAList(text: String, isList: Bool) throws {
        let calls =
            isList
            ? #"[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]"#
            : "\"\(text.replacing("\"", with: "\\\""))\""
        let flattened = ["gen_ai.completion.0.tool_calls", "llm.output_messages.0.message.tool_calls"].map {
            SpanFixture(("gen_ai.operation.name", .string("chat")), ($0, .string(text)))
        }
        var event = SpanFixture(("gen_ai.operation.name", .string("chat")))
        event.events = [("gen_ai.choice", [NewPair(key: "tool_calls", value: .string(text))])]
        for span in flattened + [event] {
            #expect(
                try RunSample(span).text("outputs")
                    == #"{"messages":[{"role":"assistant","tool_calls":\#(calls)}]}"#)
        }
    }

    @Test func retrievedDocumentsAreThoseOfLangChain() throws {
        let run = try RunSample(
            SpanFixture(
                ("openinference.span.kind", .string("RETRIEVER")), ("input.value", .string("q")),
                ("retrieval.documents.0.document.content", .string("text")),
                ("retrieval.documents.0.document.metadata", .string(#"{"page":1}"#)),
                ("retrieval.documents.0.document.score", .double(0.5))))
        #expect(run.text("inputs") == #"{"input":"q"}"#)
        #expect(
            run.text("outputs") == #"""
                {"documents":[{"page_content":"text","metadata":{"page":1},"type":"Document","score":0.5}]}
                """#)
    }

    @Test(arguments: [
        ("input.value", "plain", #"{"input":"plain"}"#), ("input.value", #"{"a":1}"#, #"{"a":1}"#),
        ("input.value", "[1, 2]", #"{"input":[1,2]}"#), ("input.value", "{broken", #"{"input":"{broken"}"#),
        ("gen_ai.prompt", #"[{"role":"user","content":"x"}]"#, #"{"messages":[{"role":"user","content":"x"}]}"#),
        (
            "gen_ai.tool.call.arguments", #"{"n":123456789012345678901234567890}"#,
            #"{"n":"123456789012345678901234567890"}"#
        ),
        ("traceloop.entity.input", #"{"x":"\ud83d"}"#, "{\"x\":\"\u{FFFD}\"}"),
        ("mlflow.spanInputs", #"{"q":"1"}"#, #"{"q":"1"}"#), ("ai.toolCall.args", #"{"q":1}"#, #"{"q":1}"#),
    ])
    func inputsAreAlwaysAnObjectThatEveryReaderTakes(key: String, text: String, inputs: String) throws {
        #expect(try RunSample(SpanFixture((key, .string(text)))).text("inputs") == inputs)
    }

    @Test func eventsOfOlderConventionsAreMessages() throws {
        var span = SpanFixture(("gen_ai.operation.name", .string("chat")))
        span.events = [
            ("gen_ai.system.message", [NewPair(key: "content", value: .string("Be brief"))]),
            ("gen_ai.user.message", [NewPair(key: "gen_ai.event.content", value: .string(#"{"content":"hi"}"#))]),
            (
                "gen_ai.choice",
                [
                    NewPair(key: "message", value: .string(#"{"content":"ho"}"#)),
                    NewPair(key: "finish_reason", value: .string("stop")),
                ]
            ), ("retry", [NewPair(key: "attempt", value: .int(2))]),
        ]
        let run = try RunSample(span)
        #expect(
            run.text("inputs")
                == #"{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"hi"}]}"#)
        #expect(
            run.text("outputs")
                == #"{"messages":[{"role":"assistant","content":"ho","finish_reason":"stop"}]}"#)
        #expect(
            run.text("events")
                == #"[{"name":"retry","time":"2023-11-14T22:13:20.250000Z","kwargs":{"attempt":2}}]"#)
    }

    @Test func usageStandsWhereLangSmithCountsIt() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.provider.name", .string("aws.bedrock")),
                ("gen_ai.request.model", .string("claude")), ("gen_ai.response.model", .string("claude-1")),
                ("gen_ai.usage.input_tokens", .int(3)), ("gen_ai.usage.output_tokens", .int(4)),
                ("gen_ai.usage.cache_read.input_tokens", .int(10)), ("weir.cost.cache_basis", .string("exclusive")),
                ("gen_ai.usage.reasoning.output_tokens", .int(2)), ("weir.cost.total", .string("0.75")),
                ("weir.cost.input", .string("0.25")), ("weir.cost.output", .string("0.5"))))
        let usage = #"""
            {"input_tokens":13,"output_tokens":4,"total_tokens":17,"input_token_details":{"cache_read":10},\#
            "output_token_details":{"reasoning":2},"input_cost":0.25,"output_cost":0.5,"total_cost":0.75}
            """#
        #expect(run.text("outputs") == "{\"usage_metadata\":\(usage)}")
        #expect(run.metadata("usage_metadata") == usage)
        #expect(run.metadata("ls_provider") == #""bedrock""#)
        #expect(run.metadata("ls_model_name") == #""claude""#)
        #expect(run.metadata("ls_response_model") == #""claude-1""#)
        #expect(run.parameter("model") == #""claude""#)
    }

    /// Google's API counts reasoning beside the output, Anthropic's the cache beside the input, as these names pass on.
    @Test func tokensOfEveryKindAreAmongThoseOfUsage() throws {
        let gemini = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(100)),
                ("gen_ai.usage.output_tokens", .int(20)), ("gen_ai.usage.reasoning.output_tokens", .int(300)),
                ("gen_ai.usage.total_tokens", .int(420))))
        #expect(
            gemini.metadata("usage_metadata") == #"""
                {"input_tokens":100,"output_tokens":320,"total_tokens":420,"output_token_details":{"reasoning":300}}
                """#)
        let claude = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("claude-sonnet-4")),
                ("gen_ai.usage.input_tokens", .int(100)), ("gen_ai.usage.output_tokens", .int(20)),
                ("gen_ai.usage.cache_read_input_tokens", .int(900))))
        #expect(
            claude.metadata("usage_metadata") == #"""
                {"input_tokens":1000,"output_tokens":20,"total_tokens":1020,"input_token_details":{"cache_read":900}}
                """#)
        #expect(claude.metadata("gen_ai.usage.input_tokens") == nil)
    }

    @Test func countsThatContradictEachOtherStandInTheMetadataAlone() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(.max)),
                ("gen_ai.usage.output_tokens", .int(.max)), ("gen_ai.usage.cache_read.input_tokens", .int(5)),
                ("weir.cost.total", .string("0.75"))))
        #expect(run.metadata("usage_metadata") == #"{"input_cost":0.0,"output_cost":0.0,"total_cost":0.75}"#)
        #expect(run.metadata("gen_ai.usage.output_tokens") == "9223372036854775807")
        #expect(run.metadata("gen_ai.usage.cache_read.input_tokens") == "5")
    }

    @Test func whatAnAgentAddsUpIsNotCountedTwice() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("invoke_agent")), ("gen_ai.usage.input_tokens", .int(3)),
                ("gen_ai.agent.name", .string("planner"))))
        #expect(run.text("outputs") == "{}")
        #expect(run.metadata("gen_ai.usage.input_tokens") == "3")
        #expect(run.member("name") == #""planner""#)
    }

    @Test func contentIsWithheldAndUsageIsNot() throws {
        let span = SpanFixture(
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(3)),
            ("gen_ai.usage.output_tokens", .int(4)), ("gen_ai.prompt.0.content", .string("secret")),
            ("gen_ai.completion", .string("secret")), ("llm.prompts", .string("secret")))
        let run = try RunSample(span, hidesInputs: true, hidesOutputs: true)
        #expect(run.text("inputs") == "{}")
        #expect(run.text("outputs") == "{\"usage_metadata\":\(usage)}")
        #expect(!run.text("extra").contains("secret"))
        #expect(try RunSample(span, hidesOutputs: true).text("inputs").contains("secret"))
    }

    @Test func anExceptionOrAFailedStatusIsTheError() throws {
        var span = SpanFixture()
        span.status = 2
        #expect(try RunSample(span).text("error") == #""error""#)
        span.statusMessage = "no luck"
        #expect(try RunSample(span).text("error") == #""no luck""#)
        span.events = [
            (
                "exception",
                [
                    NewPair(key: "exception.type", value: .string("ValueError")),
                    NewPair(key: "exception.message", value: .string("boom")),
                    NewPair(key: "exception.stacktrace", value: .string("line 1")),
                ]
            )
        ]
        #expect(try RunSample(span).text("error") == #""ValueError: boom\n\nStacktrace:\nline 1""#)
        #expect(try RunSample(span).text("events") == "")
        span.status = 1
        #expect(try RunSample(span).text("error") == "")
        #expect(try RunSample(span).text("events").contains("boom"))
    }

    @Test func metadataOfTheSenderGoesFirst() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("langsmith.metadata.ls_provider", .string("mine")),
                ("gen_ai.system", .string("openai")),
                ("langsmith.metadata.LANGSMITH_ENDPOINT", .string("x")), ("session.id", .string("s")),
                ("traceloop.association.properties.user_id", .string("u")), ("metadata", .string(#"{"a":{"b":1}}"#)),
                ("langsmith.span.tags", .string("one, two ,")), ("other", .bool(true)),
                ("llm.invocation_parameters", .string(#"{"top_k":5}"#)), ("gen_ai.request.temperature", .double(0.5))))
        #expect(run.metadata("ls_provider") == #""mine""#)
        #expect(run.metadata("LANGSMITH_ENDPOINT") == nil)
        #expect(run.metadata("thread_id") == #""s""#)
        #expect(run.metadata("user_id") == #""u""#)
        #expect(run.metadata("a") == #"{"b":1}"#)
        #expect(run.metadata("other") == "true")
        #expect(run.member("tags") == #"["one","two"]"#)
        #expect(run.parameter("top_k") == "5")
        #expect(run.parameter("temperature") == "0.5")
    }

    @Test func aSecondIdIsMetadata() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("invoke_agent")), ("session.id", .string("s")),
                ("gen_ai.conversation.id", .string("c")), ("user.id", .string("u")), ("enduser.id", .string("e")),
                ("weir.usage.characters", .int(5))))
        #expect(run.metadata("thread_id") == #""c""# && run.metadata("session.id") == #""s""#)
        #expect(run.metadata("user_id") == #""u""# && run.metadata("enduser.id") == #""e""#)
        #expect(run.metadata("user.id") == nil && run.metadata("gen_ai.conversation.id") == nil)
        #expect(run.metadata("weir.usage.characters") == "5")
    }

    @Test(arguments: [
        ("ai.model.provider", "openai.chat", "openai"), ("ai.model.provider", "google.generative-ai", "google_genai"),
        ("gen_ai.system", "OpenAI", "openai"), ("gen_ai.provider.name", "ibm.watsonx.ai", "ibm.watsonx.ai"),
    ])
    func aProviderIsCalledAsLangSmithCallsIt(key: String, name: String, provider: String) throws {
        let run = try RunSample(SpanFixture(("gen_ai.operation.name", .string("chat")), (key, .string(name))))
        #expect(run.metadata("ls_provider") == "\"\(provider)\"")
    }

    @Test func aLongNameIsCutAndKept() throws {
        var span = SpanFixture()
        span.name = String(repeating: "ü", count: 129)
        let run = try RunSample(span)
        #expect(run.member("name") == "\"\(String(repeating: "ü", count: 128))\"")
        #expect(run.metadata("name") == "\"\(span.name)\"")
    }

    @Test func aRunThatEndsBeforeItStartsEndsWhenItStarts() throws {
        var span = SpanFixture()
        span.endTime = 5
        #expect(try RunSample(span).member("end_time") == #""2023-11-14T22:13:20.000000Z""#)
    }
}
