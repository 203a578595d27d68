import Logging

/// Brings the records of a journal to one exporter: batching, retry and counting. There is one for each exporter of
/// each pipeline, and none knows of the others.
struct Delivery: Sendable {
    struct Timing: Sendable {
        /// How long a record waits for others to be sent with.
        var flushInterval = Duration.milliseconds(200)
        /// How often an exporter is asked whether something is due by time.
        var tickInterval = Duration.seconds(1)
        /// How long an exporter that fails is given, once the pipeline has stopped, to take what is left.
        var drainTimeout = Duration.seconds(30)
    }

    private let exporter: any Exporter
    private let reader: JournalReader
    private let timing: Timing
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let sentSpans: Counter
    private let failedSpans: Counter
    private let failedRequests: Counter

    init(
        to exporter: any Exporter, from reader: JournalReader, pipeline: ComponentID, _ context: Context,
        timing: Timing = Timing(), now: @escaping @Sendable () -> Timestamp
    ) {
        self.exporter = exporter
        self.reader = reader
        self.timing = timing
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

    /// Spans that the destination has yet to take.
    var waitingSpans: Int { reader.unsettledSpans }

    /// What a run has to remember between its steps.
    private struct Progress {
        var lastTick = ContinuousClock.now
        /// When to give up; nil as long as nothing failed after the pipeline had stopped.
        var drainDeadline: ContinuousClock.Instant?
    }

    /// Delivers until the journal is closed and empty, then lets the exporter finish.
    func run() async {
        var progress = Progress()
        while true {
            let waiting = reader.waiting
            if waiting.bytes == 0 {
                if waiting.isClosed { break }
                await reader.wait(for: timing.tickInterval)
            } else {
                if waiting.spans < JournalReader.batchSpans, waiting.bytes < JournalReader.batchBytes, !waiting.isClosed
                {
                    await reader.wait(for: timing.flushInterval)
                }
                guard await deliver(await nextBatch(), &progress) else { break }
            }
            await tick(&progress)
        }
        await exporter.finish()
    }

    /// - Returns: whether there is time for more.
    private func deliver(_ batch: FrozenBatch, _ progress: inout Progress) async -> Bool {
        guard let first = batch.records.first, let last = batch.records.last else { return true }
        var backoff = Backoff()
        while true {
            do throws(ExportError) {
                try await exporter.export(batch)
                sentSpans.add(batch.spanCount)
                break
            } catch {
                failedRequests.add()
                switch error {
                case .rejected(let reason), .tenantBlocked(_, let reason):
                    failedSpans.add(batch.spanCount)
                    logger.error("gave up spans", metadata: ["spans": "\(batch.spanCount)", "reason": "\(reason)"])
                    reader.commit(first.sequence...last.sequence)
                    return true
                case .retryable(let reason, let after):
                    let pause = after ?? backoff.next()
                    logger.warning(
                        "could not deliver", metadata: ["retry_in": "\(pause.inMilliseconds)", "reason": "\(reason)"])
                    guard await wait(for: pause, &progress) else { return abandon(reason) }
                }
            }
        }
        reader.commit(first.sequence...last.sequence)
        return true
    }

    private func nextBatch() async -> FrozenBatch {
        FrozenBatch(journal: reader.journal, records: await reader.read(), recoveredThrough: reader.recoveredThrough)
    }

    /// Waits before the next attempt, and lets the exporter tick meanwhile. That the pipeline stops cuts it short; that
    /// more records come does not, because a destination that named a time must not be asked before it.
    /// - Returns: whether there is time for another attempt.
    private func wait(for pause: Duration, _ progress: inout Progress) async -> Bool {
        var end = ContinuousClock.now + pause
        let isStopping = reader.waiting.isClosed
        if isStopping {
            let deadline = progress.drainDeadline ?? ContinuousClock.now + timing.drainTimeout
            progress.drainDeadline = deadline
            if ContinuousClock.now >= deadline { return false }
            end = min(end, deadline)
        }
        while ContinuousClock.now < end, reader.waiting.isClosed == isStopping {
            await reader.wait(for: min(end, progress.lastTick + timing.tickInterval) - .now)
            await tick(&progress)
        }
        return true
    }

    private func tick(_ progress: inout Progress) async {
        let now = ContinuousClock.now
        guard now - progress.lastTick >= timing.tickInterval else { return }
        progress.lastTick = now
        await exporter.tick(at: self.now())
    }

    /// Says what the end of the process loses. (A journal on disk will lose nothing here.)
    private func abandon(_ reason: String) -> Bool {
        let spans = reader.unsettledSpans
        failedSpans.add(spans)
        logger.error(
            "stopping with spans that were not delivered", metadata: ["spans": "\(spans)", "reason": "\(reason)"])
        return false
    }
}

extension Duration {
    /// As a person reads it, to the millisecond.
    fileprivate var inMilliseconds: String { Duration.milliseconds(Int64(self / .milliseconds(1))).text }
}

/// Pauses between attempts: doubled from one to thirty seconds, each shortened by chance so that retries do not march
/// in step.
struct Backoff {
    private var ceiling = Duration.seconds(1)

    mutating func next() -> Duration {
        let pause = ceiling * Double.random(in: 0.5...1)
        ceiling = min(ceiling * 2, .seconds(30))
        return pause
    }
}
