/// Counts what was priced, and which models are in no list.
struct CostTelemetry: Sendable {
    /// Models that get a series of their own; the names are the senders', and there may be any number of them.
    static let maximumModels = 100

    private let context: Context
    /// In the order of the cases.
    private let spans: [Counter]
    private var unpriced: [String: Counter] = [:]
    /// By the row of the list, so that there are no more than it has.
    private var models: [String: Counters] = [:]

    /// What calls of a model used and cost.
    struct Counters: Sendable {
        let input: Counter
        let output: Counter
        let cacheRead: Counter
        let nanodollars: Counter

        fileprivate init(_ price: ModelPrice, _ context: Context) {
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

        func add(_ usage: Usage, _ cost: Cost) {
            input.add(Int(usage.inputTokens))
            output.add(Int(usage.outputTokens))
            cacheRead.add(Int(usage[.cacheRead]))
            nanodollars.add(Int(cost.total / 1_000))
        }
    }

    init(_ context: Context) {
        self.context = context
        spans = CostStatus.allCases.map { status in
            context.metrics.counter(
                "weir_cost_spans", help: "Spans of calls of models, and of what sums them up, by outcome.",
                labels: ["cost": "\(context.id)", "status": status.rawValue])
        }
    }

    func add(_ status: CostStatus) {
        spans[status.index].add()
    }

    /// Those of a row of the list.
    mutating func counters(of price: ModelPrice) -> Counters {
        if let known = models[price.id] { return known }
        let counters = Counters(price, context)
        models[price.id] = counters
        return counters
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
