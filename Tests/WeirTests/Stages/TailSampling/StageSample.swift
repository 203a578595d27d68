import Logging

@testable import Weir

/// A stage between two journals on one disk, with the tasks that write them.
final class StageSample {
    let first: Journal
    let second: Journal
    let metrics = MetricRegistry()
    let bursts = Bursts()
    private let writers: [JournalWriter]
    private let writing: [Task<Void, Never>]
    private var running: Task<Void, Never>?
    private let stage: TailSamplingStage
    private let course: StageCourse
    /// Of the second journal, as an exporter has it.
    private let exporter: JournalReader

    /// - Parameter directory: for its decisions.
    init(
        _ configuration: TailSamplingConfiguration, on disk: SimulatedDisk, directory: String,
        processors: [any Processor] = [], maxBytes: Int = 1 << 20, board: KeepDecisionBoard = KeepDecisionBoard(),
        tombstones: Tombstones? = nil, durability: Durability = .fsync
    ) throws {
        var limits = JournalLimits.small(maxBytes: maxBytes, segmentBytes: 8_192)
        // Some is read again from memory, some from the disk.
        limits.areReadAgain = true
        limits.durability = durability
        limits.cachedBytes = 32 << 10
        func open(_ prefix: String, _ limits: JournalLimits, _ names: [String]) throws -> (Journal, JournalWriter) {
            try Journal.open(
                on: PartOfADisk(prefix, of: disk), limits, for: names.map { Journal.Destination($0) },
                executor: { BlockingExecutor(label: $0) }, clock: { Timestamp.now() }, events: { _ in })
        }
        let (first, firstWriter) = try open("first-", limits, [StageCourse.name])
        let (second, secondWriter) = try open("second-", limits.behindStage, ["exporter", StageCourse.name])
        self.first = first
        self.second = second
        writers = [firstWriter, secondWriter]
        writing = writers.map { writer in Task { await writer.run() } }
        exporter = second.reader(0)
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let id = ComponentID(type: "traces")
        let context = Context(
            id: ComponentID(type: "tail_sampling"), pipeline: id, logger: logger, metrics: metrics, bursts: bursts,
            keepDecisions: board)
        stage = TailSamplingStage(configuration, context)
        let tombstones = tombstones ?? Tombstones(directory)
        func erasure(_ telemetry: ErasureTelemetry?) -> ErasureProcessor {
            ErasureProcessor(ErasureProcessor.Configuration(tombstones, telemetry), context)
        }
        course = StageCourse(
            source: Pipeline(id: id, processors: [], journal: first), reader: first.reader(0),
            keepCopies: { await firstWriter.publish() }, holdsRefused: { await firstWriter.holdsRefused },
            keepCursors: { await firstWriter.keepCursors() },
            target: Pipeline(id: id, processors: processors, journal: second), progress: second.reader(1),
            erasure: erasure(ErasureTelemetry(metrics)), silentErasure: erasure(nil), directory: directory,
            now: { Timestamp.now() })
    }

    func start() {
        running = Task { [stage, course] in await stage.run(course) }
    }

    deinit {
        running?.cancel()
        for task in writing { task.cancel() }
    }

    /// - Returns: whether it was kept, and no power cut takes it.
    func append(_ spans: [SpanFixture], of tenant: String = "t") async -> Bool {
        let payload = SpanFixture.request(spans)
        let entry = JournalEntry(
            tenant: tenant, receivedAt: Timestamp.now(), spanCount: spans.count, payload: payload)
        guard (try? await first.append(entry)) != nil else { return false }
        return await writers[0].publish()
    }

    /// What the second journal has for its exporter, which then has it.
    func take() async -> [JournalRecord] {
        var all: [JournalRecord] = []
        while true {
            let records = await exporter.read()
            guard let first = records.first, let last = records.last else { return all }
            exporter.commit(first.sequence...last.sequence)
            all += records
        }
    }

    var complaints: [String] { stage.complaints }

    /// Spans that were put into the ring.
    var recalled: Int {
        metrics.counter("weir_tail_sampling_recall_spans", help: "", labels: ["processor": "tail_sampling"]).value
    }

    var waitingRecords: Double {
        metrics.gauge(
            "weir_tail_sampling_waiting_records", help: "",
            labels: ["processor": "tail_sampling", "pipeline": "traces"]
        ).value
    }

    /// Ends as a service does.
    func stop() async {
        await abandon()
        for writer in writers { await writer.finish() }
    }

    /// The power is off: nothing that is done now reaches the disk.
    func abandon() async {
        first.close()
        await running?.value
        second.close()
        for task in writing { task.cancel() }
        for task in writing { await task.value }
    }
}
