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

    private let resending: Resending
    private let file: DeadLetterFile
    private let codec: (any RecordCodec)?
    private let now: @Sendable () -> Timestamp
    private var outcome = Outcome()

    init(
        to exporter: any Exporter, _ delivery: DeliveryConfiguration, from file: DeadLetterFile, _ context: Context,
        codec: (any RecordCodec)? = nil, view: (any BatchView)? = nil, patience: Duration = Resending.patience,
        now: @escaping @Sendable () -> Timestamp
    ) {
        resending = Resending(to: exporter, delivery, context, view: view, patience: patience)
        self.file = file
        self.codec = codec
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
        await resending.attempt.exporter.finish()
        outcome.remainingSpans += queue.spans
        return outcome
    }

    /// - Returns: whether the destination answered to the end.
    private mutating func send(_ queue: inout LetterQueue) async throws -> Bool {
        let resending = resending
        let delivery = resending.delivery
        while true {
            let found = try queue.peek(maxSpans: delivery.queue.maxSpans, maxBytes: delivery.queue.maxBytes) {
                line throws(FileError) in
                try file.append(line)
                outcome.unreadableLines += 1
            }
            let records = try await found.opened(by: codec)
            guard let journal = records.first?.journal else { return true }
            let batch = records.prefix { $0.journal == journal }.map(\.record).prefix { $0.hasItsSpans }
            guard !batch.isEmpty else {
                // A destination that does not look into it would be said to have the spans.
                let broken = Piece([records[0].record])
                try await putBack(broken, of: journal, "found bytes that do not hold its spans, wanted OTLP")
                try queue.forget(1)
                continue
            }
            let (finished, isComplete) = try await resending.send(Array(batch), of: journal) { piece, reason in
                try await putBack(piece, of: journal, reason)
            }
            let isSafe = await resending.settle(finished)
            if isSafe { try queue.forget(finished.reduce(0) { $0 + $1.sequences.count }) }
            outcome.sentSpans += isSafe ? finished.reduce(0) { $0 + $1.sentSpans } : 0
            guard isComplete, isSafe else { return false }
        }
    }

    /// It was there before, so no limit keeps it from being there again.
    private mutating func putBack(_ piece: Piece, of journal: JournalID, _ reason: String) async throws {
        let letters = try await (piece.cut() ?? Array(piece.records)).map { record in
            Letter(
                time: now(), exporter: resending.context.id.description, reason: reason,
                kept: KeptRecord(journal: journal, record: record))
        }.sealed(by: codec)
        try file.append(letters.flatMap(\.line))
        outcome.remainingSpans += piece.spanCount
    }
}

extension Replay {
    /// Replays into the exporter that the configuration describes, for each of these pipelines.
    ///
    /// - Parameter report: gets what became of each.
    static func run(
        _ configuration: CollectorConfiguration, exporter: ComponentDefinition, pipelines: [ComponentID],
        report: (ComponentID, Outcome) throws -> Void
    ) async throws {
        let exporters = try await LoneExporters(configuration)
        for pipeline in pipelines {
            let made = try exporters.make(exporter, for: pipeline)
            let directory = configuration.service.journal.directory(of: pipeline)
            let file = try DeadLetterFile(directory, exporter: exporter.id)
            var replay = Replay(
                to: made.exporter, made.delivery, from: file, made.context, codec: exporters.codec, view: made.view,
                now: Timestamp.now)
            try report(pipeline, await replay.run())
        }
        await exporters.finish()
    }
}
