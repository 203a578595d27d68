/// Counts what was redacted: by tenant, detector and action. Never a value, a length or a place.
struct RedactionTelemetry: Sendable {
    private struct Series: Hashable {
        let tenant: String
        let detector: String
        let action: String
    }

    private let policy: RedactionPolicy
    private let context: Context
    private let unknown: Counter
    private let allowed: Counter
    private var counters: [Series: Counter] = [:]

    init(_ policy: RedactionPolicy, _ context: Context) {
        self.policy = policy
        self.context = context
        let labels = ["redaction": context.id.description]
        unknown = context.metrics.counter(
            "weir_redaction_unknown_fields", help: "Messages whose unknown fields were dropped.", labels: labels)
        allowed = context.metrics.counter(
            "weir_redaction_allowed", help: "Findings that an allow-list let stay.", labels: labels)
    }

    mutating func take(_ tally: inout RedactionTally, tenant: String) {
        unknown.add(tally.unknownFields)
        allowed.add(tally.takeAllowed())
        tally.unknownFields = 0
        guard !tally.isEmpty else { return }
        var found: [(Series, Int)] = []
        tally.drain(
            { kind, action, count in
                found.append((Series(tenant: tenant, detector: policy.name(of: kind), action: action.rawValue), count))
            },
            { action, count in
                found.append((Series(tenant: tenant, detector: "key", action: action.rawValue), count))
            },
            { failure, count in
                found.append((Series(tenant: tenant, detector: "limit", action: "\(failure)"), count))
            })
        for (series, count) in found { counter(series).add(count) }
    }

    private mutating func counter(_ series: Series) -> Counter {
        if let counter = counters[series] { return counter }
        let counter = context.metrics.counter(
            "weir_redaction_findings",
            help: "What was found, by tenant, detector (key: by its key; limit: masked unseen) and action.",
            labels: [
                "redaction": context.id.description, "tenant": series.tenant, "detector": series.detector,
                "action": series.action,
            ])
        counters[series] = counter
        return counter
    }
}
