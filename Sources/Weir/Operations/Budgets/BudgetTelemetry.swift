import Logging

/// Says which budgets were used up.
struct BudgetTelemetry: Sendable {
    enum Notice: String, CaseIterable {
        case sent, failed, expired
    }

    private let context: Context
    private let notices: [Notice: Counter]
    private let failures: Counter
    /// Labels of those who had spent most at the last reading.
    private var shown: Set<MetricRegistry.Labels> = []

    init(_ context: Context) {
        self.context = context
        let metrics = context.metrics
        notices = Dictionary(
            uniqueKeysWithValues: Notice.allCases.map { notice in
                let counter = metrics.counter(
                    "weir_budget_notices", help: "Attempts to tell the webhook of a crossing, by outcome.",
                    labels: ["cost": "\(context.id)", "outcome": notice.rawValue])
                return (notice, counter)
            })
        failures = metrics.counter(
            "weir_budget_failures", help: "Times that the tables could not be asked what was spent.",
            labels: ["cost": "\(context.id)"])
    }

    func note(_ crossing: BudgetCrossing) {
        let key = crossing.key
        context.metrics.counter(
            "weir_budget_crossings", help: "Budgets that were used up to a threshold, each once in a window.",
            labels: ["cost": "\(context.id)", "budget": key.budget, "level": key.level.rawValue]
        ).add()
        var metadata: Logger.Metadata = [
            "budget": "\(key.budget)", "reached": "\(key.level.rawValue)", "tenant": "\(key.tenant)",
            "threshold": "\(crossing.threshold.inDollars)", "spent": "\(crossing.spent.inDollars)",
        ]
        if crossing.window != .run { metadata["window_start"] = "\(key.windowStart.text)" }
        // Who a user is does not belong into a log.
        if !key.id.isEmpty, crossing.scope != .user { metadata["\(crossing.scope.rawValue)"] = "\(key.id)" }
        context.logger.warning("a budget was used up to a threshold", metadata: metadata)
    }

    mutating func show(_ book: BudgetBook) {
        showTop(of: book)
        for level in book.levels {
            let labels = ["cost": "\(context.id)", "budget": level.name]
            context.metrics.gauge(
                "weir_budget_reached", help: "Those who are at a threshold of the budget now, or over it.",
                labels: labels
            ).set(level.reached)
            context.metrics.gauge(
                "weir_budget_used_ratio", help: "The largest part of the highest threshold that anybody has spent.",
                labels: labels
            ).set(level.used)
        }
    }

    /// There are never more series than the budgets name: whoever is not among the first any more has none.
    private mutating func showTop(of book: BudgetBook) {
        let name = "weir_budget_top_spent_dollars"
        var now: Set<MetricRegistry.Labels> = []
        let top = book.top.map { budget, owner, spent in
            let labels = [
                "cost": "\(context.id)", "budget": budget.name, "scope": budget.scope.rawValue, "tenant": owner.tenant,
                "id": owner.id,
            ]
            now.insert(labels)
            return (labels: labels, dollars: Double(spent) / 1e12)
        }
        for labels in shown.subtracting(now) { context.metrics.remove(name, labels: labels) }
        for (labels, dollars) in top {
            context.metrics.gauge(
                name, help: "What those have spent in the window of the budget who spent most of it, in USD.",
                labels: labels
            ).set(dollars)
        }
        shown = now
    }

    func note(_ notice: Notice, _ reason: String? = nil) {
        notices[notice]?.add()
        if let reason { context.logger.warning("the webhook was not told", metadata: ["reason": "\(reason)"]) }
    }

    func noteFailure(_ reason: String) {
        failures.add()
        context.logger.warning("cannot read what was spent", metadata: ["reason": "\(reason)"])
    }
}
