/// Counts the matches of regular expressions that a processor gave up.
struct MatchTelemetry: Sendable {
    private let abandoned: Counter

    init(_ context: Context) {
        abandoned = context.metrics.counter(
            "weir_regular_expression_matches_abandoned",
            help: "Matches that took more steps than they may, and so count as none.",
            labels: ["processor": context.id.description])
    }

    func take(from batch: borrowing Batch) {
        abandoned.add(batch.arena.pointee.matchBudget.takeAbandoned())
    }
}
