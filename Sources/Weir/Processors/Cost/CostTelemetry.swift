/// Counts what was priced, and which models are in no list.
struct CostTelemetry: Sendable {
    /// Models that get a series of their own; the names are the senders', and there may be any number of them.
    static let maximumModels = 100

    private let context: Context
    private let spans: [CostStatus: Counter]
    private var unpriced: [String: Counter] = [:]
    /// By the row of the list, so that there are no more than it has.
    private var models: [String: Model] = [:]

    /// What calls of a model used and cost.
    private struct Model {
        let input: Counter
        let output: Counter
        let cacheRead: Counter
        let nanodollars: Counter

        init(_ price: ModelPrice, _ context: Context) {
            let labels = [
                "cost": "\(context.id)", "gen_ai_provider_name": price.provider, "gen_ai_request_model": price.model,
            ]
            func counter(_ name: String, _ help: String) -> Counter {
                context.metrics.counter(name, help: help, labels: labels)
            }
            input = counter(
                "gen_ai_client_inference_usage_input_tokens", "Input tokens of priced calls, cached ones among them.")
            output = counter(
                "gen_ai_client_inference_usage_output_tokens", "Output tokens of priced calls, reasoning among them.")
            cacheRead = counter(
                "gen_ai_client_inference_usage_cache_read_input_tokens", "Input tokens that came from a cache.")
            nanodollars = counter("weir_cost_nanodollars", "What priced calls cost as they passed, in 1e-9 USD.")
        }
    }

    init(_ context: Context) {
        self.context = context
        spans = Dictionary(
            uniqueKeysWithValues: CostStatus.allCases.map { status in
                let counter = context.metrics.counter(
                    "weir_cost_spans", help: "Spans of calls of models, and of what sums them up, by outcome.",
                    labels: ["cost": "\(context.id)", "status": status.rawValue])
                return (status, counter)
            })
    }

    func add(_ status: CostStatus) {
        spans[status]?.add()
    }

    mutating func add(_ price: ModelPrice, _ usage: Usage, _ cost: Cost) {
        if models[price.id] == nil { models[price.id] = Model(price, context) }
        guard let model = models[price.id] else { return }
        model.input.add(Int(usage.inputTokens))
        model.output.add(
            Int(usage[.output] + usage[.reasoning] + usage[.outputAudio] + usage[.outputImage]))
        model.cacheRead.add(Int(usage[.cacheRead]))
        model.nanodollars.add(Int(cost.total / 1_000))
    }

    mutating func addUnpriced(_ model: String) {
        let name = unpriced[model] != nil || unpriced.count < Self.maximumModels ? model : "other"
        if let counter = unpriced[name] { return counter.add() }
        let counter = context.metrics.counter(
            "weir_cost_unpriced_spans", help: "Spans whose model is in no price list, by its name.",
            labels: ["cost": "\(context.id)", "model": name])
        unpriced[name] = counter
        counter.add()
    }
}
