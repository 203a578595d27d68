import Foundation
import Logging
import Testing

@testable import Weir

/// Spans that real instrumentations wrote: `Tests/SystemTests/instrumented.py` made them.
struct InstrumentedCallTests {
    /// 1,000 input tokens, 500 from the cache, 120 output tokens; an embedding of 28.
    private static let gpt4o = "0.004325"
    private static let claude = "0.00495"
    private static let embedding = "0.00000056"

    @Test(arguments: [
        ("openinference-openai", [gpt4o, embedding]), ("openinference-anthropic", [claude]),
        ("traceloop-openai", [gpt4o, embedding]), ("traceloop-anthropic", [claude]), ("pydantic-ai", [gpt4o]),
        ("langsmith", [gpt4o]), ("langfuse", [gpt4o, embedding]), ("litellm", [gpt4o, claude]),
        ("mlflow", [gpt4o, embedding]),
    ])
    func everyCallHasItsPriceOnce(fixture: String, totals: [String]) throws {
        let url = Bundle.module.bundleURL.appending(path: "Fixtures/genai/\(fixture).json")
        var batch = Batch()
        try OTLPJSONDecoder().decode(.copying(Array(Data(contentsOf: url))), into: &batch)
        var processor = CostProcessor(
            CostConfiguration(try PriceVectorTests.table()),
            Context(
                id: ComponentID(type: "cost"), logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() },
                metrics: MetricRegistry()))
        processor.process(&batch)
        var found: [String] = []
        for span in batch.spans {
            guard case .string(let text)? = batch.value(of: AttributeKey("weir.cost.total"), in: span.attributes) else {
                continue
            }
            found.append(String(decoding: text, as: UTF8.self))
        }
        #expect(found == totals)
    }
}
