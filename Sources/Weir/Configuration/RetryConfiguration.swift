/// The section `retry_on_failure` of an exporter.
struct RetryConfiguration: Sendable {
    let isEnabled: Bool
    let initialInterval: Duration
    let maxInterval: Duration
    let multiplier: Double
    /// Zero is no limit.
    let maxElapsedTime: Duration

    init(_ fields: inout Fields) {
        let intervals = Duration.milliseconds(1) ... .seconds(3_600)
        isEnabled = fields.bool(
            "enabled", default: true, "Without retry, a batch that fails once goes to the dead letters.")
        initialInterval = fields.duration(
            "initial_interval", default: .seconds(1), in: intervals, "The longest pause after the first failure.")
        maxInterval = fields.duration(
            "max_interval", default: .seconds(30), in: intervals, "The longest pause after any failure.")
        multiplier = fields.number(
            "multiplier", default: 2, in: 1...10, "By how much the pause grows with each failure.")
        maxElapsedTime = fields.duration(
            "max_elapsed_time", default: .zero, in: .zero ... .seconds(30 * 86_400),
            "How long a batch may fail before it goes to the dead letters; 0s is for ever.")
        fields.ignore("randomization_factor", "each pause is drawn between a tenth and all of its length")
        if maxInterval < initialInterval {
            fields.reject("max_interval", "found \(maxInterval.text), wanted at least initial_interval")
        }
    }
}
