import Testing

@testable import Weir

/// What an answer says of its tokens is priced, whatever becomes of the answer.
struct ContentUsageTests {
    @Test(arguments: ["keep", "drop", "hash"])
    func theAnswerGoesAndWhatItUsedStays(content: String) throws {
        let answer = """
            {"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06",
             "choices":[{"message":{"content":"hi"}}],
             "usage":{"prompt_tokens":1500,"completion_tokens":120,"prompt_tokens_details":{"cached_tokens":500}}}
            """
        let span = SpanFixture(
            ("openinference.span.kind", .string("LLM")), ("llm.model_name", .string("gpt-4o")),
            ("output.value", .string(answer)))
        var batch = try SpanFixture.batch([span])
        var redaction = try ProcessorFixture<RedactionProcessor>(
            "\(RedactionProcessorTests.key)\ncontent: \(content)"
        ).processor
        redaction.process(&batch)
        var cost = try ProcessorFixture<CostProcessor>("prices: \"\(PriceVectorTests.file)\"").processor
        cost.process(&batch)
        let found = try batch.attributesAfterExport(of: .span(0))
        #expect(found.contains(#"weir.cost.total="0.004325""#), "\(found)")
        #expect(found.contains(#"gen_ai.response.id="chatcmpl-1""#), "\(found)")
        #expect(found.contains { $0.contains("choices") } == (content == "keep"), "\(found)")
    }
}
