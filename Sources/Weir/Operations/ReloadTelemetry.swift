import Logging
import Synchronization

/// Says what became of reloads: in the log, in metrics, and among what is wrong.
final class ReloadTelemetry: Sendable {
    private let applied: Counter
    private let rejected: Counter
    private let lastApplied: Gauge
    private let lastRejection = Mutex<String?>(nil)
    private let logger: Logger

    init(_ metrics: MetricRegistry, _ logger: Logger) {
        self.logger = logger
        let count = { (outcome: String) in
            metrics.counter(
                "weir_reloads", help: "Times that the configuration was read again, by outcome.",
                labels: ["outcome": outcome])
        }
        (applied, rejected) = (count("applied"), count("rejected"))
        lastApplied = metrics.gauge(
            "weir_reload_last_applied", help: "Whether the last reload was applied, 1, or rejected, 0.")
        lastApplied.set(1)
    }

    var complaints: [String] {
        lastRejection.withLock { $0.map { ["the configuration on disk is not the one that runs: \($0)"] } ?? [] }
    }

    func note(_ outcome: ReloadOutcome) {
        switch outcome {
        case .applied:
            applied.add()
            lastApplied.set(1)
            lastRejection.withLock { $0 = nil }
            logger.info("reloaded")
        case .rejected(let problems):
            rejected.add()
            lastApplied.set(0)
            lastRejection.withLock { $0 = problems.first ?? "" }
            for problem in problems { logger.error("rejected a reload", metadata: ["problem": "\(problem)"]) }
        }
    }
}
