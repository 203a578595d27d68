import Logging
import Synchronization

/// Puts what a journal has to say into the log and the metrics, and remembers what `/healthz` is to show.
final class JournalTelemetry: Sendable {
    /// Gaps that `/healthz` shows; the metrics count all.
    static let maximumGaps = 100
    /// How often the log says again that a key is waited for.
    static let reminder = Duration.seconds(300)

    private struct Locked {
        var gaps: [String] = []
        var failure: String?
        /// What is encrypted, where there is no keystore.
        var sealed: String?
        /// Keys that readers wait for, by their ids, and when the log last said so.
        var awaited: [UInt64: (key: AwaitedKey, saidAt: ContinuousClock.Instant)] = [:]
    }

    private let pipeline: ComponentID
    private let labels: MetricRegistry.Labels
    private let logger: Logger
    private let metrics: MetricRegistry
    private let commits: Histogram
    private let records: Counter
    private let failures: Counter
    private let locked = Mutex(Locked())

    /// - Parameter journal: which of several that the pipeline has.
    init(_ pipeline: ComponentID, _ logger: Logger, _ metrics: MetricRegistry, journal: String? = nil) {
        self.pipeline = pipeline
        var labels = ["pipeline": "\(pipeline)"]
        labels["journal"] = journal
        self.labels = labels
        var logger = logger
        logger[metadataKey: "component"] = "journal"
        logger[metadataKey: "pipeline"] = "\(pipeline)"
        if let journal { logger[metadataKey: "journal"] = "\(journal)" }
        self.logger = logger
        self.metrics = metrics
        commits = metrics.histogram(
            "weir_journal_commit_duration_seconds", help: "From taking a group of requests to having it on the disk.",
            labels: labels, bounds: Histogram.latency)
        records = metrics.counter(
            "weir_journal_records", help: "Requests that were written to the journal.", labels: labels)
        failures = metrics.counter(
            "weir_journal_failures", help: "Times that the journal could not write and refused requests.",
            labels: labels)
    }

    /// Shows how full the journal is.
    func observe(_ journal: Journal) {
        let labels = labels
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Journal.Status) -> Double) {
            metrics.observe(name, kind: .gauge, help: help, labels: labels) { value(journal.status) }
        }
        gauge("weir_journal_bytes", "Bytes that a pipeline holds for its exporters.") { Double($0.usedBytes) }
        gauge("weir_journal_max_bytes", "What they may be at most.") { _ in Double(journal.limits.maxBytes) }
        gauge("weir_journal_mark", "How full it is: 0 green, 1 yellow (70 %), 2 red (85 %, requests are refused).") {
            Double($0.mark.rawValue)
        }
        gauge("weir_journal_writable", "Whether the journal can write: 1, or 0 with the reason in the log.") {
            $0.failure == nil ? 1 : 0
        }
        gauge("weir_journal_remembered_requests", "Requests that are recognised when they come again.") {
            Double($0.rememberedRequests)
        }
        metrics.observe(
            "weir_journal_forgotten_requests", kind: .counter,
            help: "Requests that were forgotten before dedupe_window was over, because of dedupe_max_requests.",
            labels: labels
        ) { Double(journal.status.forgottenRequests) }
    }

    /// What is wrong, a line each; empty when nothing is.
    var complaints: [String] {
        locked.withLock { locked in
            let awaited = locked.awaited.values.map(\.key).sorted { ($0.sequence, $0.id) < ($1.sequence, $1.id) }
            return [locked.failure, locked.sealed].compactMap { $0 } + awaited.map(complaint) + locked.gaps
        }
    }

    func note(_ event: JournalEvent, at now: ContinuousClock.Instant = .now) {
        switch event {
        case .committed(let count, _, let duration):
            records.add(count)
            commits.observe(duration / .seconds(1))
        case .gap(let gap): note(gap)
        case .torn: logger.warning("cut off a write that had not ended, which nobody was told it had")
        case .quarantined(let file, let bytes):
            logger.error("put damaged bytes aside", metadata: ["file": "\(file)", "bytes": "\(bytes)"])
        case .failed(let error):
            failures.add()
            note(failure: error)
            logger.error("cannot write; requests are refused until it works", metadata: ["error": "\(error)"])
        case .failsStill(let error): note(failure: error)
        case .recovered:
            locked.withLock { $0.failure = nil }
            logger.notice("can write again")
        case .trouble(let error): logger.warning("the journal has trouble", metadata: ["error": "\(error)"])
        case .sealed: noteSealed()
        case .awaitsKey(let key): note(key, at: now)
        case .awaitsNoMore(let key): end(key)
        case .leftBehind(let exporter, let spans):
            logger.warning(
                "an exporter that is not configured any more had not got everything",
                metadata: ["exporter": "\(exporter)", "spans": "\(spans)"])
        }
    }

    private func note(failure: DiskError) {
        locked.withLock { $0.failure = "pipeline \(pipeline): the journal cannot write: \(failure)" }
    }

    private func noteSealed() {
        let what = "records are encrypted and no keystore is configured: they stay"
        let isNews = locked.withLock { locked in
            defer { locked.sealed = "pipeline \(pipeline): \(what)" }
            return locked.sealed == nil
        }
        if isNews { logger.error("\(what)") }
    }

    private func complaint(_ key: AwaitedKey) -> String {
        "pipeline \(pipeline): record \(key.sequence) of tenant \(key.tenant) waits for data key "
            + "\(key.id.digits(16, radix: 16)): \(key.reason)"
    }

    private func note(_ key: AwaitedKey, at now: ContinuousClock.Instant) {
        let isDue = locked.withLock { locked in
            let saidAt = locked.awaited[key.id]?.saidAt
            let isDue = saidAt.map { $0 + Self.reminder <= now } ?? true
            locked.awaited[key.id] = (key, isDue ? now : saidAt ?? now)
            return isDue
        }
        guard isDue else { return }
        logger.error("cannot read a record, and waits for its data key", metadata: Self.metadata(key))
    }

    private func end(_ key: AwaitedKey) {
        guard locked.withLock({ $0.awaited.removeValue(forKey: key.id) }) != nil else { return }
        logger.notice("waits for a data key no longer", metadata: Self.metadata(key))
    }

    private static func metadata(_ key: AwaitedKey) -> Logger.Metadata {
        [
            "sequence": "\(key.sequence)", "tenant": "\(key.tenant)", "key": "\(key.id.digits(16, radix: 16))",
            "reason": "\(key.reason)",
        ]
    }

    private func note(_ gap: JournalGap) {
        var labels = labels
        labels["reason"] = gap.reason.rawValue
        var metadata: Logger.Metadata = [
            "reason": "\(gap.reason.rawValue)", "first": "\(gap.sequences.lowerBound)",
            "last": "\(gap.sequences.upperBound)", "spans": "\(gap.spans.map { "\($0)" } ?? "unknown")",
        ]
        if let tenant = gap.tenant { metadata["tenant"] = "\(tenant)" }
        if let exporter = gap.exporter {
            labels["exporter"] = exporter
            metadata["exporter"] = "\(exporter)"
            metrics.counter(
                "weir_exporter_missed_records", help: "Records of the journal that an exporter did not get, by reason.",
                labels: labels
            ).add(gap.count)
            metrics.counter(
                "weir_exporter_missed_spans", help: "Their spans, where that is known.", labels: labels
            ).add(gap.spans ?? 0)
            logger.error("an exporter does not get some records", metadata: metadata)
        } else {
            metrics.counter(
                "weir_journal_lost_records", help: "Records of the journal that are not there any more, by reason.",
                labels: labels
            ).add(gap.count)
            logger.critical("records of the journal are lost", metadata: metadata)
        }
        let what = "\(gap.reason.rawValue) \(gap.sequences.lowerBound) to \(gap.sequences.upperBound)"
        let who = (gap.exporter.map { ", exporter \($0)" } ?? "") + (gap.tenant.map { ", tenant \($0)" } ?? "")
        locked.withLock { locked in
            guard locked.gaps.count < Self.maximumGaps else { return }
            locked.gaps.append("pipeline \(pipeline)\(who): \(what), spans \(gap.spans.map { "\($0)" } ?? "unknown")")
        }
    }
}
