/// Names under which others look for what a call costs.
enum OtherCostNames: String, CaseIterable, Sendable {
    /// What OpenTelemetry is about to take: `gen_ai.usage.cost.amount`, `currency` and `source`.
    case genAI = "gen_ai.usage.cost"
    /// OpenInference's: `llm.cost.total`, `prompt` and `completion`.
    case llm = "llm.cost"

    private static let amount = AttributeKey("gen_ai.usage.cost.amount")
    private static let currency = AttributeKey("gen_ai.usage.cost.currency")
    private static let source = AttributeKey("gen_ai.usage.cost.source")
    private static let total = AttributeKey("llm.cost.total")
    private static let prompt = AttributeKey("llm.cost.prompt")
    private static let completion = AttributeKey("llm.cost.completion")

    /// Where the span has none of its own: what a sender says of its cost stays.
    func write(_ cost: Cost, to index: Int, of batch: inout Batch) {
        let input = UsageUnit.allCases.reduce(Int64(0)) { $0 + ($1.isInputToken ? cost[$1] : 0) }
        let values: [(AttributeKey, NewValue)] =
            switch self {
            case .genAI:
                [
                    (Self.amount, .double(Self.dollars(cost.total))), (Self.currency, .string("USD")),
                    (Self.source, .string("local")),
                ]
            case .llm:
                [
                    (Self.total, .double(Self.dollars(cost.total))), (Self.prompt, .double(Self.dollars(input))),
                    (Self.completion, .double(Self.dollars(cost.total - input))),
                ]
            }
        guard let first = values.first?.0, batch.firstIndex(of: first, in: batch.spans[index].attributes) == nil else {
            return
        }
        for (key, value) in values { batch.set(key, to: batch.store(value), of: .span(index)) }
    }

    private static func dollars(_ pico: Int64) -> Double { Double(pico) / 1e12 }
}
