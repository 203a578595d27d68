@testable import Weir

/// A journal and the deliveries from it, as a service makes them for one pipeline.
final class DeliverySample {
    let journal: Journal
    let log = LogCapture()
    let metrics = MetricRegistry()
    private var runs: [Task<Void, Never>] = []

    init(maxBytes: Int = 64 << 20) {
        journal = Journal(maxBytes: maxBytes)
    }

    /// Starts to deliver to `destination`, which is called `test/NAME`.
    func deliver(
        to destination: TestDestination, _ name: String = "a", onFull: FullPolicy = .refuse,
        timing: Delivery.Timing = .quick
    ) {
        let context = Context(id: ComponentID(type: "test", name: name), logger: log.logger, metrics: metrics)
        let delivery = Delivery(
            to: destination, from: journal.addReader(onFull: onFull), pipeline: ComponentID(type: "traces"), context,
            timing: timing, now: { Timestamp(nanoseconds: 1) })
        runs.append(Task { await delivery.run() })
    }

    func append(spans: Int = 1, bytes: Int = 10) async throws(Refusal) {
        try await journal.append(
            Journal.Entry(
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
