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

    /// By rule and outcome; spans that no rule is for are the last.
    private let counters: [[Counter]]
    private let inconsistent: Counter
    private var counts: [[Int]]
    private var inconsistentCount = 0

    init(_ rules: [SamplingRule], _ context: Context) {
        let labels = ["processor": "\(context.id)"]
        counters = (rules.map(\.name) + [""]).map { rule in
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
        counts = counters.map { $0.map { _ in 0 } }
    }

    mutating func add(_ rule: Int, _ outcome: Outcome) {
        counts[rule][outcome.rawValue] += 1
    }

    mutating func addUnmatched() {
        add(counts.count - 1, .kept)
    }

    mutating func addInconsistent() {
        inconsistentCount += 1
    }

    /// Adds what was counted since the last time to what everybody counts.
    mutating func flush() {
        for rule in counts.indices {
            for outcome in counts[rule].indices where counts[rule][outcome] > 0 {
                counters[rule][outcome].add(counts[rule][outcome])
                counts[rule][outcome] = 0
            }
        }
        if inconsistentCount > 0 { inconsistent.add(inconsistentCount) }
        inconsistentCount = 0
    }
}
