import Logging

/// Sends the dead letters of one exporter of one pipeline again, with the journal id and sequence that they had.
struct Replay {
    struct Outcome {
        var sentSpans = 0
        /// Spans that stay in the dead letters.
        var remainingSpans = 0
        /// Lines that are no letters. They stay too.
        var unreadableLines = 0

        var isComplete: Bool { remainingSpans == 0 && unreadableLines == 0 }
    }

    /// Somebody else replays these letters.
    struct Busy: Error {}

    /// How long a destination that fails is tried.
    static let patience = Duration.seconds(60)

    private let attempt: Attempt
    private let delivery: DeliveryConfiguration
    private let file: DeadLetterFile
    private let codec: (any RecordCodec)?
    private let context: Context
    private let patience: Duration
    private let now: @Sendable () -> Timestamp
    private var outcome = Outcome()

    init(
        to exporter: any Exporter, _ delivery: DeliveryConfiguration, from file: DeadLetterFile, _ context: Context,
        codec: (any RecordCodec)? = nil, view: (any BatchView)? = nil, patience: Duration = Self.patience,
        now: @escaping @Sendable () -> Timestamp
    ) {
        attempt = Attempt(exporter: exporter, timeout: delivery.timeout, logger: context.logger, view: view)
        self.delivery = delivery
        self.file = file
        self.codec = codec
        self.context = context
        self.patience = patience
        self.now = now
    }

    /// Once. Letters that are written meanwhile are not for this run.
    mutating func run() async throws -> Outcome {
        guard let lock = try file.lockReplay() else { throw Busy() }
        defer { withExtendedLifetime(lock) {} }
        // What an earlier run did not come to. Of that, what is refused again is among the letters.
        var queue = try file.leftover()
        if try await send(&queue) {
            (outcome.remainingSpans, outcome.unreadableLines) = (0, 0)
            queue = try file.moveAway()
            _ = try await send(&queue)
        }
        await attempt.exporter.finish()
        outcome.remainingSpans += queue.spans
        return outcome
    }

    /// - Returns: whether the destination answered to the end.
    private mutating func send(_ queue: inout LetterQueue) async throws -> Bool {
        while true {
            let found = try queue.peek(maxSpans: delivery.queue.maxSpans, maxBytes: delivery.queue.maxBytes) {
                line throws(FileError) in
                _ = try file.append(line)
                outcome.unreadableLines += 1
            }
            let records = try await found.opened(by: codec)
            guard let journal = records.first?.journal else { return true }
            let batch = records.prefix { $0.journal == journal }.map(\.record)
            let (finished, isComplete) = try await send(batch, of: journal)
            let isSafe = await settle(finished)
            if isSafe { try queue.forget(finished.reduce(0) { $0 + $1.sequences.count }) }
            outcome.sentSpans += isSafe ? finished.reduce(0) { $0 + $1.sentSpans } : 0
            guard isComplete, isSafe else { return false }
        }
    }

    private func settle(_ finished: [Shipment.Finished]) async -> Bool {
        guard let last = finished.map(\.sequences.upperBound).max() else { return true }
        await attempt.exporter.settle()
        return await attempt.exporter.settled(through: last) >= last
    }

    /// - Returns: what is done, from the first record on, and whether that is all.
    private mutating func send(
        _ records: [JournalRecord], of journal: JournalID
    ) async throws -> (finished: [Shipment.Finished], isComplete: Bool) {
        var shipment = Shipment(
            records, splitsRecords: delivery.splitsRecords, backoff: Backoff(delivery.retry))
        var finished: [Shipment.Finished] = []
        while let part = shipment.next {
            switch part.fate {
            case .export:
                guard let cut = part.piece.cut() else {
                    shipment.refuseWhole()
                    continue
                }
                let batch = FrozenBatch(journal: journal, records: cut, recoveredThrough: .max)
                switch await attempt.export(batch) {
                case .success: finished += shipment.finish()
                case .failure(.rejected(let reason)): shipment.refuse(reason)
                case .failure(.tenantBlocked(let tenant, let reason)):
                    if !shipment.park(tenant, reason) { shipment.giveUp(reason) }
                case .failure(.retryable(let reason, let after)):
                    guard await wait(&shipment, reason, after) else { return (finished, false) }
                }
            case .bury(let reason), .park(_, let reason):
                try await putBack(part.piece, of: journal, reason)
                finished += shipment.finish()
            }
        }
        return (finished, true)
    }

    /// - Returns: whether another attempt is worth it.
    private func wait(_ shipment: inout Shipment, _ reason: String, _ after: Duration?) async -> Bool {
        let since = shipment.failingSince ?? .now
        shipment.failingSince = since
        let pause = shipment.backoff.next(named: after, chance: .random(in: 0...1))
        let goesOn = delivery.retry.isEnabled && ContinuousClock.now + pause - since < patience
        context.logger.warning("could not deliver", metadata: ["reason": "\(reason)", "ends": "\(!goesOn)"])
        guard goesOn else { return false }
        try? await Task.sleep(for: pause)
        return true
    }

    /// It was there before, so no limit keeps it from being there again.
    private mutating func putBack(_ piece: Piece, of journal: JournalID, _ reason: String) async throws {
        let letters = try await (piece.cut() ?? Array(piece.records)).map { record in
            Letter(
                time: now(), exporter: context.id.description, reason: reason,
                kept: KeptRecord(journal: journal, record: record))
        }.sealed(by: codec)
        _ = try file.append(letters.flatMap(\.line))
        outcome.remainingSpans += piece.spanCount
    }
}

extension Replay {
    /// Replays into the exporter that the configuration describes, for each of these pipelines.
    ///
    /// - Parameter report: gets what became of each.
    static func run(
        _ configuration: CollectorConfiguration, exporter: ComponentDefinition, pipelines: [ComponentID],
        report: (ComponentID, Outcome) -> Void
    ) async throws {
        let telemetry = configuration.service.telemetry
        let sink = LogSink(telemetry.logEncoding)
        defer { sink.finish() }
        let plain = Logger(label: "weir") { label in
            LineLogHandler(label: label, level: telemetry.logLevel.loggerLevel, sink: sink)
        }
        let metrics = MetricRegistry()
        var extensions = Extensions()
        for definition in configuration.extensions {
            let context = Context(id: definition.id, logger: plain, metrics: metrics)
            extensions.add(definition, try Registry.extension(definition, context))
        }
        for `extension` in extensions.all { try await `extension`.start() }
        let codec = try KeystoreCodec.make(configuration, extensions, plain)
        let tombstones = Tombstones(configuration.service.erasure.directory, serves: false)
        try await tombstones.refresh()
        for pipeline in pipelines {
            var logger = plain
            logger[metadataKey: "component"] = "\(exporter.id)"
            logger[metadataKey: "pipeline"] = "\(pipeline)"
            let context = Context(
                id: exporter.id, logger: logger, metrics: MetricRegistry(), extensions: extensions)
            let (built, delivery) = try Registry.exporter(exporter, context)
            let directory = configuration.service.journal.directory(of: pipeline)
            let file = try DeadLetterFile(directory, exporter: exporter.id)
            var replay = Replay(
                to: built, delivery, from: file, context, codec: codec,
                view: ErasureView(
                    tombstones, ErasureTelemetry(metrics), then: try KeystoreView.make(delivery, context)),
                now: Timestamp.now)
            report(pipeline, try await replay.run())
        }
        for `extension` in extensions.all { await `extension`.finish() }
    }
}
