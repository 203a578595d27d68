import Logging

/// What the receiver `beacon` counts beside what every receiver counts.
struct BeaconTelemetry: Sendable {
    let receiver: ReceiverTelemetry
    private let taken: Counter
    private let marked: Counter
    private let stripped: Counter
    private let refused: [BeaconTally.Refusal: Counter]
    /// By the key of the limit.
    let limited: [String: Counter]
    /// Of pages that may not ask.
    let foreign: Counter
    private let logger: Logger

    init(_ context: Context) {
        receiver = ReceiverTelemetry(context, transport: "http")
        logger = context.logger
        let labels = ["receiver": context.id.description]
        func events(_ outcome: String) -> Counter {
            context.metrics.counter(
                "weir_beacon_events", help: "Events of pages, by what became of them.",
                labels: labels.merging(["outcome": outcome]) { $1 })
        }
        func requests(_ reason: String) -> Counter {
            context.metrics.counter(
                "weir_beacon_refused_requests", help: "Requests of pages that were refused before they were read.",
                labels: labels.merging(["reason": reason]) { $1 })
        }
        taken = events("taken")
        marked = context.metrics.counter(
            "weir_beacon_marked_events", help: "Events taken that are not as the registry has them.", labels: labels)
        stripped = context.metrics.counter(
            "weir_beacon_stripped_attributes", help: "Attributes of pages that were taken away.", labels: labels)
        refused = Dictionary(uniqueKeysWithValues: BeaconTally.Refusal.allCases.map { ($0, events($0.rawValue)) })
        limited = ["address": requests("address_rate"), "origin": requests("origin_rate")]
        foreign = requests("origin")
    }

    func count(_ tally: BeaconTally) {
        taken.add(tally.taken)
        marked.add(tally.marked)
        stripped.add(tally.strippedAttributes)
        for (reason, count) in tally.refused { refused[reason]?.add(count) }
        guard let example = tally.example else { return }
        logger.warning("refused events", metadata: ["reason": "\(example)"])
    }
}
