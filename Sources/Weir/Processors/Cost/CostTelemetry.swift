/// Counts what was priced, and which models are in no list.
struct CostTelemetry: Sendable {
    /// Models that get a series of their own; the names are the senders', and there may be any number of them.
    static let maximumModels = 100

    private let context: Context
    private let spans: [CostStatus: Counter]
    private var unpriced: [String: Counter] = [:]

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
