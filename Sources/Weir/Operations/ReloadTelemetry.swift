import Logging
import Synchronization

/// Says what became of reloads: in the log, in metrics, and among what is wrong.
final class ReloadTelemetry: Sendable {
    private let applied: Counter
    private let partial: Counter
    private let rejected: [ReloadOutcome.Obstacle: Counter]
    private let lastApplied: Gauge
    /// What it was about.
    private let lastRejection = Mutex<String?>(nil)
    private let logger: Logger

    init(_ metrics: MetricRegistry, _ logger: Logger) {
        self.logger = logger
        let count = { (outcome: String, reason: String) in
            metrics.counter(
                "weir_reloads", help: "Times that the configuration was read again, by outcome, and why.",
                labels: ["outcome": outcome, "reason": reason])
        }
        (applied, partial) = (count("applied", ""), count("partial", "pipeline_file"))
        rejected = Dictionary(
            uniqueKeysWithValues: ReloadOutcome.Obstacle.allCases.map { ($0, count("rejected", $0.rawValue)) })
        lastApplied = metrics.gauge(
            "weir_reload_last_applied", help: "Whether the last reload was applied as a whole, 1, or not, 0.")
        lastApplied.set(1)
    }

    var complaints: [String] {
        lastRejection.withLock { place in
            place.map { ["the configuration on disk is not the one that runs: \($0): the log says why"] } ?? []
        }
    }

    /// The file and line, or the key, that a problem begins with. The rest may quote what somebody has put where
    /// secrets do not belong, and who asks what is wrong with Weir needs no key.
    private static func place(of problem: String) -> String {
        problem.firstRange(of: ": ").map { String(problem[..<$0.lowerBound]) } ?? "it cannot be applied"
    }

    /// Weir has started without files of pipelines that are in error.
    /// - Parameters:
    ///   - problems: what is wrong with them, a line each; none where they are all right.
    ///   - missing: what they would have.
    func began(without problems: [String], _ missing: [MissingPipeline]) {
        guard let first = problems.first else { return }
        lastApplied.set(0)
        lastRejection.withLock { $0 = Self.place(of: first) }
        for problem in problems {
            logger.error("started without a pipeline file", metadata: ["problem": "\(problem)"])
        }
        for pipeline in missing {
            let receivers = pipeline.receivers?.map(\.description).sorted().joined(separator: ",") ?? "all"
            logger.error(
                "refuses spans until a pipeline file is right",
                metadata: ["file": "\(pipeline.file)", "receivers": "\(receivers)", "tenants": "\(pipeline)"])
        }
    }

    func note(_ outcome: ReloadOutcome) {
        let problems: [String]
        switch outcome {
        case .applied(let kept):
            (kept.isEmpty ? applied : partial).add()
            problems = kept
            logger.info("reloaded")
        case .rejected(let obstacle, let reasons):
            rejected[obstacle]?.add()
            problems = reasons
        }
        lastApplied.set(problems.isEmpty ? 1 : 0)
        lastRejection.withLock { $0 = problems.first.map(Self.place) }
        let what: Logger.Message = if case .rejected = outcome { "rejected a reload" } else { "kept a pipeline file" }
        for problem in problems { logger.error(what, metadata: ["problem": "\(problem)"]) }
    }
}
