import Logging

/// Brings the records of a journal to one exporter: batching, retry, dead letters and counting. There is one for each
/// exporter of each pipeline, and none knows of the others. ``DeliveryState`` decides; this carries out.
struct Delivery: Sendable {
    struct Timing: Sendable {
        /// How often an exporter is asked whether something is due by time.
        var tickInterval = Duration.seconds(1)
        /// How long a delivery goes on once the pipeline has stopped, if its destination takes what it is given.
        var drainTimeout = Duration.seconds(10)
    }

    let attempt: Attempt
    let reader: JournalReader
    let letters: any LetterStore
    let id: ComponentID
    let now: @Sendable () -> Timestamp
    let logger: Logger
    let telemetry: DeliveryTelemetry
    private let settings: DeliveryState.Settings

    init(
        to exporter: any Exporter, from reader: JournalReader, _ configuration: DeliveryConfiguration,
        letters: any LetterStore, view: (any BatchView)? = nil, pipeline: ComponentID, _ context: Context,
        timing: Timing = Timing(),
        now: @escaping @Sendable () -> Timestamp
    ) {
        attempt = Attempt(exporter: exporter, timeout: configuration.timeout, logger: context.logger, view: view)
        self.reader = reader
        self.letters = letters
        self.now = now
        id = context.id
        logger = context.logger
        telemetry = DeliveryTelemetry(context.metrics, exporter: context.id, pipeline: pipeline, reader: reader)
        settings = DeliveryState.Settings(
            retry: configuration.retry, queue: configuration.queue, splitsRecords: configuration.splitsRecords,
            waitsForLater: configuration.waitsForLater, tickInterval: timing.tickInterval,
            drainTimeout: timing.drainTimeout)
    }

    /// Spans that the destination has yet to take.
    var waitingSpans: Int { reader.unsettledSpans }

    /// Delivers until the journal is closed and empty, or the destination fails after it was closed; then lets the
    /// exporter finish. What was not delivered stays in the journal.
    func run() async {
        let state = DeliveryState(settings, parked: letters.parkedAtStart, at: .now) { .random(in: 0...1) }
        var run = DeliveryRun(self, state)
        await run.run()
        telemetry.end()
        let left = reader.unsettledSpans
        if left > 0 { logger.info("spans stay in the journal for the next start", metadata: ["spans": "\(left)"]) }
    }
}

extension Delivery.Timing {
    /// - Parameter timeout: what stopping may take in all. What follows the delivery needs some of it.
    init(stopping timeout: Duration) {
        self.init()
        drainTimeout = min(drainTimeout, timeout / 2)
    }
}

extension Delivery {
    func tell(_ report: DeliveryState.Report) {
        switch report {
        case .sent(let spans): telemetry.sentSpans.add(spans)
        case .refused(let reason):
            telemetry.failedAttempts.add()
            logger.debug("the destination refused a batch", metadata: ["reason": "\(reason)"])
        case .failed(let reason, let pause):
            telemetry.failedAttempts.add()
            logger.warning("could not deliver", metadata: Self.metadata(reason, pause))
        case .notKept(let reason, let pause):
            logger.error(
                "could not keep what the destination does not take", metadata: Self.metadata(reason, pause))
        case .buried(let spans, let reason):
            telemetry.failedSpans.add(spans)
            telemetry.deadLetterSpans.add(spans)
            logger.error("put spans into the dead letters", metadata: ["spans": "\(spans)", "reason": "\(reason)"])
        case .parked(let tenant, let reason):
            logger.error("parked a tenant", metadata: ["tenant": "\(tenant)", "reason": "\(reason)"])
        case .unparked(let tenant):
            logger.info("a parked tenant has everything", metadata: ["tenant": "\(tenant)"])
        }
    }

    private static func metadata(_ reason: String, _ pause: Duration?) -> Logger.Metadata {
        guard let pause else { return ["reason": "\(reason)"] }
        return ["retry_in": "\(pause.inMilliseconds)", "reason": "\(reason)"]
    }
}

extension Duration {
    /// As a person reads it, to the millisecond.
    fileprivate var inMilliseconds: String { Duration.milliseconds(Int64(self / .milliseconds(1))).text }
}
