@testable import Weir

/// A journal and the deliveries from it, as a service makes them for one pipeline.
final class DeliverySample {
    private struct Made {
        let destination: any Exporter
        let configuration: DeliveryConfiguration
        let context: Context
        let timing: Delivery.Timing
        let letters: LetterDirectory
    }

    let log = LogCapture()
    let metrics = MetricRegistry()
    /// The pipeline's.
    let directory: String
    private let temporary: TemporaryDirectory
    private let limits: JournalLimits
    private var made: [Made] = []
    private var runs: [Task<Void, Never>] = []
    /// Opened at the first use, when it is known for whom.
    private lazy var sample = open()

    /// - Parameter directory: of an earlier sample; with its dead letters and parked records.
    init(maxBytes: Int = 64 << 20, directory: TemporaryDirectory? = nil) throws {
        limits = .small(maxBytes: maxBytes, segmentBytes: (maxBytes / 16).roundedUp(to: 512))
        temporary = try directory ?? TemporaryDirectory()
        self.directory = temporary.path + "/traces"
    }

    var journal: Journal { sample.journal }
    /// What exporters were said not to get.
    var gaps: [JournalGap] { sample.events.gaps }

    /// Starts to deliver to `destination`, which is called `test/NAME`, with the first use of the journal.
    func deliver(
        to destination: some Exporter, named name: String = "a", _ configuration: DeliveryConfiguration = .init(),
        timing: Delivery.Timing = .quick, letters: LetterDirectory.Limits = .roomy
    ) throws {
        let id = ComponentID(type: "test", name: name)
        made.append(
            Made(
                destination: destination, configuration: configuration,
                context: Context(id: id, logger: log.logger, metrics: metrics), timing: timing,
                letters: try LetterDirectory(directory, exporter: id, limits: letters)))
    }

    private func open() -> JournalSample {
        let destinations = made.map { Journal.Destination($0.context.id.fileName, $0.configuration.onFull) }
        guard let sample = try? JournalSample(limits, for: destinations) else {
            preconditionFailure("a new disk refuses a journal")
        }
        for (index, made) in made.enumerated() {
            let delivery = Delivery(
                to: made.destination, from: sample.journal.reader(index), made.configuration, letters: made.letters,
                pipeline: ComponentID(type: "traces"), made.context, timing: made.timing,
                now: { Timestamp(nanoseconds: 1) })
            runs.append(Task { await delivery.run() })
        }
        return sample
    }

    func append(spans: Int = 1, bytes: Int = 10) async throws(Refusal) {
        try await append("default", spans: spans, payload: .zeros(bytes))
    }

    /// A record of spans that are called `span ID`.
    func append(_ ids: ClosedRange<UInt64>, tenant: String = "default") async throws(Refusal) {
        let payload = SampleBatch.payload(ids.map { ($0, SampleBatch.fourOClock) })
        try await append(tenant, spans: ids.count, payload: payload)
    }

    private func append(_ tenant: String, spans: Int, payload: Payload) async throws(Refusal) {
        _ = try await journal.append(
            JournalEntry(
                tenant: tenant, receivedAt: Timestamp(nanoseconds: 0), spanCount: spans, payload: payload))
    }

    /// Closes the journal and waits until every delivery is done.
    func stop() async {
        journal.close()
        for run in runs { await run.value }
    }

    func counter(_ metric: String, _ name: String = "a") -> Int {
        metrics.counter(metric, help: "", labels: labels(name)).value
    }

    func gauge(_ metric: String, _ name: String = "a") -> Double {
        metrics.gauge(metric, help: "", labels: labels(name)).value
    }

    private func labels(_ name: String) -> MetricRegistry.Labels {
        ["exporter": "test/\(name)", "pipeline": "traces"]
    }

    /// The lines of the dead letters.
    func deadLetters(_ name: String = "a") -> [String] {
        let bytes = try? temporary.contents(of: "traces/dead_letters/test~\(name)/letters.jsonl")
        return String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The files of parked records.
    func parkedFiles() -> [String] { temporary.files().filter { $0.contains("/parked/") } }
}

extension Delivery.Timing {
    /// Ticks for nobody.
    static let quick = Delivery.Timing(tickInterval: .seconds(3600), drainTimeout: .seconds(60))
}

extension LetterDirectory.Limits {
    static let roomy = LetterDirectory.Limits(deadLetters: 1 << 30, parked: 1 << 30)
}
