import Logging

/// Brings the records of a journal to one exporter: batching, retry and counting. There is one for each exporter of each
/// pipeline, and none knows of the others.
struct Delivery: Sendable {
    /// How long a record waits for others to be sent with.
    static let flushInterval = Duration.milliseconds(200)
    /// How often an exporter is asked whether something is due by time.
    static let tickInterval = Duration.seconds(1)
    /// How long the exporter is given, once the pipeline has stopped, to take what is left.
    static let drainTimeout = Duration.seconds(30)

    private let exporter: any Exporter
    private let reader: JournalReader
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let sentSpans: Counter
    private let failedSpans: Counter
    private let failedRequests: Counter

    init(
        to exporter: any Exporter, from reader: JournalReader, pipeline: ComponentID, _ context: Context,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.exporter = exporter
        self.reader = reader
        self.now = now
        logger = context.logger
        let labels = ["exporter": context.id.description, "pipeline": pipeline.description]
        sentSpans = context.metrics.counter(
            "otelcol_exporter_sent_spans", help: "Spans that the destination has taken.", labels: labels)
        failedSpans = context.metrics.counter(
            "otelcol_exporter_send_failed_spans", help: "Spans given up because the destination cannot take them.",
            labels: labels)
        failedRequests = context.metrics.counter(
            "weir_exporter_failed_attempts", help: "Attempts to deliver a batch that failed, retried ones too.",
            labels: labels)
        let reader = reader
        context.metrics.observe(
            "otelcol_exporter_queue_size", kind: .gauge, help: "Spans that wait for the destination.", labels: labels
        ) { Double(reader.waiting.spans) }
    }

    /// Delivers until the journal is closed and empty, then lets the exporter finish.
    func run() async {
        let clock = ContinuousClock()
        var lastTick = clock.now
        while true {
            let waiting = reader.waiting
            if waiting.bytes == 0 {
                if waiting.isClosed { break }
                await reader.wait(for: Self.tickInterval)
            } else {
                if waiting.spans < JournalReader.batchSpans, waiting.bytes < JournalReader.batchBytes, !waiting.isClosed
                {
                    await reader.wait(for: Self.flushInterval)
                }
                guard await deliver(FrozenBatch(records: reader.read())) else { break }
            }
            if clock.now - lastTick >= Self.tickInterval {
                lastTick = clock.now
                await exporter.tick(at: now())
            }
        }
        await exporter.finish()
    }

    /// - Returns: whether there is time for more.
    private func deliver(_ batch: FrozenBatch) async -> Bool {
        guard let last = batch.records.last else { return true }
        var backoff = Backoff()
        var drainDeadline: ContinuousClock.Instant?
        while true {
            do throws(ExportError) {
                try await exporter.export(batch)
                sentSpans.add(batch.spanCount)
                break
            } catch {
                failedRequests.add()
                switch error {
                case .permanent(let reason):
                    failedSpans.add(batch.spanCount)
                    logger.error("gave up spans", metadata: ["spans": "\(batch.spanCount)", "reason": "\(reason)"])
                    reader.commit(through: last.sequence)
                    return true
                case .retryable(let reason, let after):
                    let pause = after ?? backoff.next()
                    logger.warning("could not deliver", metadata: ["retry_in": "\(pause)", "reason": "\(reason)"])
                    if reader.waiting.isClosed {
                        let deadline = drainDeadline ?? ContinuousClock.now + Self.drainTimeout
                        drainDeadline = deadline
                        if ContinuousClock.now + pause > deadline { return abandon(reason) }
                    }
                    await reader.wait(for: pause)
                }
            }
        }
        reader.commit(through: last.sequence)
        return true
    }

    /// Says what the end of the process loses. (A journal on disk will lose nothing here.)
    private func abandon(_ reason: String) -> Bool {
        let spans = reader.waiting.spans
        failedSpans.add(spans)
        logger.error(
            "stopping with spans that were not delivered", metadata: ["spans": "\(spans)", "reason": "\(reason)"])
        return false
    }
}

/// Pauses between attempts: doubled from one to thirty seconds, each shortened by chance so that retries do not march in step.
struct Backoff {
    private var ceiling = Duration.seconds(1)

    mutating func next() -> Duration {
        let pause = ceiling * Double.random(in: 0.5...1)
        ceiling = min(ceiling * 2, .seconds(30))
        return pause
    }
}
