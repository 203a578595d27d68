import Testing

@testable import Weir

struct OperationKindTests {
    @Test(arguments: [
        ("chat", OperationKind.llm), ("LLM", .llm), ("generation", .llm), ("\"CHAT_MODEL\"", .llm),
        ("EMBEDDING", .embedding), ("embeddings", .embedding), ("execute_tool", .tool), ("TOOL", .tool),
        ("invoke_agent", .agent), ("RETRIEVER", .retrieval), ("RERANKER", .retrieval), ("CHAIN", .workflow),
        ("ai.generateText", .workflow), ("ai.generateText.doGenerate", .llm), ("ai.streamText.doStream my-id", .llm),
        ("ai.embed.doEmbed", .embedding), ("ai.toolCall", .tool), ("GUARDRAIL", .other), ("", .other),
    ])
    func everyVocabularyIsUnderstood(word: String, kind: OperationKind) {
        #expect(OperationKind(word: word) == kind)
    }

    private func kind(_ pairs: [(String, NewValue)]) throws -> OperationKind {
        var span = SpanFixture()
        span.attributes = pairs.map { NewPair(key: $0.0, value: $0.1) }
        let batch = try SpanFixture.batch([span])
        var attributes = GenAIAttributes()
        attributes.find(in: batch.spans[0].attributes, of: batch)
        return attributes.operation(of: batch)
    }

    @Test func aSpanThatNamesNoOperationIsKnownByWhatElseItSays() throws {
        #expect(try kind([("gen_ai.tool.name", .string("search"))]) == .tool)
        #expect(try kind([("llm.model_name", .string("m")), ("llm.token_count.prompt", .int(1))]) == .llm)
        #expect(try kind([("gen_ai.request.model", .string("m"))]) == .other)
        #expect(try kind([("http.route", .string("/"))]) == .other)
    }

    @Test func theFirstVocabularyInOrderCounts() throws {
        let pairs: [(String, NewValue)] = [
            ("openinference.span.kind", .string("CHAIN")), ("gen_ai.operation.name", .string("chat")),
        ]
        #expect(try kind(pairs) == .llm)
        #expect(try kind(pairs.reversed()) == .llm)
    }

    @Test func whatIsNoNumberOfTokensIsNone() throws {
        for value in [
            NewValue.int(-1), .double(.nan), .double(1.5), .double(-1), .double(1e300), .string("many"), .string("-3"),
            .bool(true), .array([]),
        ] {
            var span = SpanFixture()
            span.attributes = [NewPair(key: "gen_ai.usage.input_tokens", value: value)]
            let batch = try SpanFixture.batch([span])
            var attributes = GenAIAttributes()
            attributes.find(in: batch.spans[0].attributes, of: batch)
            #expect(attributes.tokens(.inputTokens, of: batch) == nil, "\(value)")
        }
    }

    /// Langfuse's wrapper says `span` of everything.
    @Test func aWordThatSaysNothingLeavesItToTheNext() throws {
        let wrapper: [(String, NewValue)] = [("langfuse.observation.type", .string("span"))]
        let counts: [(String, NewValue)] = [
            ("gen_ai.request.model", .string("m")), ("gen_ai.usage.input_tokens", .int(1)),
        ]
        #expect(try kind(wrapper + counts + [("gen_ai.operation.name", .string("invoke_agent"))]) == .agent)
        #expect(try kind([("gen_ai.operation.name", .string("chat"))] + wrapper) == .llm)
        let both: [(String, NewValue)] = [
            ("openinference.span.kind", .string("CHAIN")), ("gen_ai.operation.name", .string("chat")),
        ]
        #expect(try kind(both + wrapper) == .llm && kind(wrapper + both) == .llm)
        #expect(try kind(wrapper + counts) == .llm && kind(wrapper) == .other)
    }

    @Test func aSumOverAnAgentsCallsIsNoCall() throws {
        let sum: [(String, NewValue)] = [
            ("model_name", .string("m")), ("gen_ai.aggregated_usage.input_tokens", .int(7)),
        ]
        #expect(try kind(sum) == .agent)
        #expect(try kind(sum + [("gen_ai.usage.input_tokens", .int(7))]) == .llm)
    }

    @Test(arguments: [("10", 10), ("10.0", 10), ("0", 0), ("1500.00", 1_500)] as [(String, Int64)])
    func aTextIsReadAsANumber(text: String, count: Int64) throws {
        var span = SpanFixture()
        span.attributes = [NewPair(key: "gen_ai.usage.input_tokens", value: .string(text))]
        let batch = try SpanFixture.batch([span])
        var attributes = GenAIAttributes()
        attributes.find(in: batch.spans[0].attributes, of: batch)
        #expect(attributes.tokens(.inputTokens, of: batch) == count)
    }
}
