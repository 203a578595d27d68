/// Counts what each rule kept and left out.
struct SamplingTelemetry: Sendable {
    /// What became of a span.
    enum Outcome: Int, CaseIterable {
        case kept, sampledOut, burst

        var name: String {
            switch self {
            case .kept: "kept"
            case .sampledOut: "sampled_out"
            case .burst: "burst"
            }
        }
    }

    /// By rule, and in that by outcome; spans that no rule is for are the last.
    private let counters: [Counter]
    private let inconsistent: Counter
    private var counts: [Int]
    private let outcomes = Outcome.allCases.count
    private var inconsistentCount = 0

    init(_ rules: [SamplingRule], _ context: Context) {
        let labels = ["processor": "\(context.id)"]
        counters = (rules.map(\.name) + [""]).flatMap { rule in
            Outcome.allCases.map { outcome in
                context.metrics.counter(
                    "weir_sampling_spans",
                    help: "Spans by the rule that decided and what became of them; burst: kept because of a burst.",
                    labels: labels.merging(["rule": rule, "outcome": outcome.name]) { $1 })
            }
        }
        inconsistent = context.metrics.counter(
            "weir_sampling_inconsistent_spans",
            help: "Spans whose threshold cannot be, or whose trace state cannot be read.", labels: labels)
        counts = Array(repeating: 0, count: counters.count)
    }

    mutating func add(_ rule: Int, _ outcome: Outcome) {
        counts[rule * outcomes + outcome.rawValue] += 1
    }

    mutating func addUnmatched() {
        add(counts.count / outcomes - 1, .kept)
    }

    mutating func addInconsistent() {
        inconsistentCount += 1
    }

    /// Adds what was counted since the last time to what everybody counts.
    mutating func flush() {
        for index in counts.indices where counts[index] > 0 {
            counters[index].add(counts[index])
            counts[index] = 0
        }
        if inconsistentCount > 0 { inconsistent.add(inconsistentCount) }
        inconsistentCount = 0
    }
}
