@testable import Weir

/// A journal and the deliveries from it, as a service makes them for one pipeline.
final class DeliverySample {
    let log = LogCapture()
    let metrics = MetricRegistry()
    private let limits: JournalLimits
    private var made: [Made] = []
    private var runs: [Task<Void, Never>] = []
    /// Opened at the first use, when it is known for whom.
    private lazy var sample = open()

    private struct Made {
        let destination: TestDestination
        let context: Context
        let onFull: FullPolicy
        let timing: Delivery.Timing
    }

    init(maxBytes: Int = 64 << 20) {
        limits = .small(maxBytes: maxBytes, segmentBytes: (maxBytes / 16).roundedUp(to: 512))
    }

    var journal: Journal { sample.journal }

    /// Starts to deliver to `destination`, which is called `test/NAME`, with the first that is appended.
    func deliver(
        to destination: TestDestination, _ name: String = "a", onFull: FullPolicy = .refuse,
        timing: Delivery.Timing = .quick
    ) {
        let context = Context(id: ComponentID(type: "test", name: name), logger: log.logger, metrics: metrics)
        made.append(Made(destination: destination, context: context, onFull: onFull, timing: timing))
    }

    private func open() -> JournalSample {
        let destinations = made.map { Journal.Destination($0.context.id.fileName, $0.onFull) }
        guard let sample = try? JournalSample(limits, for: destinations) else {
            preconditionFailure("a new disk refuses a journal")
        }
        for (index, made) in made.enumerated() {
            let delivery = Delivery(
                to: made.destination, from: sample.journal.reader(index), pipeline: ComponentID(type: "traces"),
                made.context, timing: made.timing, now: { Timestamp(nanoseconds: 1) })
            runs.append(Task { await delivery.run() })
        }
        return sample
    }

    func append(spans: Int = 1, bytes: Int = 10) async throws(Refusal) {
        _ = try await journal.append(
            JournalEntry(
                tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: spans, payload: .zeros(bytes)))
    }

    /// Closes the journal and waits until every delivery is done.
    func stop() async {
        journal.close()
        for run in runs { await run.value }
    }

    func counter(_ metric: String, _ name: String = "a") -> Int {
        metrics.counter(metric, help: "", labels: ["exporter": "test/\(name)", "pipeline": "traces"]).value
    }
}

extension Delivery.Timing {
    /// Waits for nothing that a test does not ask for.
    static let quick = Delivery.Timing(
        flushInterval: .milliseconds(1), tickInterval: .seconds(3600), drainTimeout: .seconds(60))
}
