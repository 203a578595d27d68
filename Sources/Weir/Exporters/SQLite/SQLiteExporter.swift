import Logging

/// Writes spans to hot tables in SQLite, a file for each day. `docs/sqlite.md` says what a reader may rely on.
actor SQLiteExporter: Exporter {
    static let type = "sqlite"
    static let help = "Writes spans to tables in SQLite, a file for each day; needs no server."
    /// A local disk answers at last, and which files hold a record is known by the record's sequence.
    /// One batch is stored at a time, while the next is read.
    /// A transaction writes each page that it touched, and the spans of a long one share more of them.
    static let deliveryDefaults = DeliveryDefaults(
        timeout: .zero, consumers: 2, maxConsumers: 2, splitsRecords: false, maxSpans: 32_768, maxBytes: .mebibytes(16))

    /// Between two looks at which days there are.
    private static let lookNanoseconds: UInt64 = 10_000_000_000
    /// Between two looks at which tenants they have.
    private static let tidyNanoseconds: UInt64 = 3_600_000_000_000

    private let directory: SQLiteDirectory
    private let retention: Retention
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let telemetry: SQLiteTelemetry
    private let logger: Logger
    private var store: SQLiteStore
    private var rows = HotRows()
    /// The records that were exported last, and of which journal.
    private var run = SequenceRun()
    private var journal: JournalID?
    private var tried = TriedRecords()
    private var retentionClock = RetentionClock()
    /// The newest day that had a file before any was written.
    private let newestAtStart: Day?
    private var lookedAt: Timestamp?
    private var tidiedAt: Timestamp?
    /// Days of which nobody knew yet whether rows may go.
    private var waiting: Set<Day> = []
    /// Records are decoded into it, one after the other. Without a limit: what was accepted, under whatever limit the
    /// receiver had, must not be given up here.
    private var batch = Batch(decodedLimit: .max)

    init(_ configuration: SQLiteConfiguration, _ context: Context) throws {
        try self.init(configuration, context, clock: Timestamp.now, mayDrop: context.mayDrop)
    }

    /// - Parameters:
    ///   - clock: the time of day.
    ///   - mayDrop: see ``Retention/mayDrop``.
    init(
        _ configuration: SQLiteConfiguration, _ context: Context, clock: @escaping @Sendable () -> Timestamp,
        mayDrop: @escaping @Sendable (Day) async -> Bool? = { _ in true }
    ) throws {
        self.clock = clock
        executor = BlockingExecutor(label: "weir.\(context.id)")
        telemetry = SQLiteTelemetry(context)
        logger = context.logger
        directory = SQLiteDirectory(configuration.directory)
        retention = Retention(
            configuration.retention, classes: configuration.retentionClasses, mayDrop: mayDrop)
        store = SQLiteStore(in: directory, retention, logger)
        try directory.create()
        newestAtStart = try directory.days().max()
        logger.info("writing", metadata: ["directory": "\(configuration.directory)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Returns when the disk has every row of the batch.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        let now = clock()
        if journal != batch.journal { run = SequenceRun() }
        journal = batch.journal
        let before = run
        defer { rows.reset() }
        var counts = SQLiteCounts()
        defer { if counts.isTried { tried.add(batch) } }
        do {
            let records = try collect(batch, at: now)
            defer { telemetry.add(counts) }
            let time = retentionClock.timeForStoring(now, newest: newestAtStart)
            try store.write(rows, of: records, at: now, overBy: time, &counts) { try Self.encode($0, of: batch) }
        } catch let error as SQLiteFailure {
            run = before
            throw .retryable("\(error)", after: nil)
        } catch {
            run = before
            throw .rejected("a record cannot be stored: \(error)")
        }
    }

    func tick(at now: Timestamp) async {
        store.checkpointIfIdle(at: now)
        if let lookedAt, now >= lookedAt, now.nanoseconds - lookedAt.nanoseconds < Self.lookNanoseconds { return }
        lookedAt = now
        do {
            try await removeWhatIsOver(at: now)
            let days = try directory.days()
            let bytes = days.reduce(0) { $0 + directory.size(of: directory.path(of: $1)) }
            telemetry.show(files: days.count, bytes: bytes)
        } catch {
            logger.warning("cannot tidy up", metadata: ["reason": "\(error)"])
        }
    }

    private func removeWhatIsOver(at now: Timestamp) async throws {
        let days = try directory.daysOrLeftovers()
        let expired = retention.expired(days, at: now)
        guard retentionClock.believes(now, newest: newestAtStart) else {
            if expired.isEmpty { return }
            return logger.warning("\(RetentionClock.doubt)", metadata: ["clock": "\(Day(now).text)"])
        }
        for day in expired where await retention.mayDrop(day) == true {
            try store.drop(day)
            telemetry.addDropped()
            logger.info("removed a day after its retention", metadata: ["day": "\(day.text)"])
        }
        try await removeTenants(at: now)
        try store.forgetRejects(at: now, oldest: try directory.days().first)
    }

    /// Takes rows of tenants out of days that others keep longer.
    private func removeTenants(at now: Timestamp) async throws {
        let isDue = tidiedAt.map { now < $0 || now.nanoseconds - $0.nanoseconds >= Self.tidyNanoseconds } ?? true
        let days = retention.partlyExpired(try directory.days(), at: now)
        let waiting = self.waiting
        if isDue { (tidiedAt, self.waiting) = (now, []) }
        for day in days where isDue || waiting.contains(day) {
            do {
                try await removeTenants(of: day, at: now)
            } catch {
                // Of one file that cannot be read the others do not hear.
                logger.warning("cannot tidy up a day", metadata: ["day": "\(day.text)", "reason": "\(error)"])
            }
        }
    }

    private func removeTenants(of day: Day, at now: Timestamp) async throws {
        let isOver = { [retention] in retention.isOver(day, for: $0, at: now) }
        waiting.remove(day)
        if try SQLiteMeta.tenants(of: day, in: directory).contains(where: { isOver($0.name) }) {
            let mayDrop = await retention.mayDrop(day)
            if mayDrop == nil { waiting.insert(day) }
            guard mayDrop == true else { return }
            // Others may have stored rows of the day meanwhile.
            let removed = try store.remove(on: day, at: now, where: isOver)
            if removed.isFileGone { telemetry.addDropped() }
            if removed.tenants > 0 {
                logger.info(
                    "removed rows after their retention",
                    metadata: ["day": "\(day.text)", "tenants": "\(removed.tenants)"])
            }
            if removed.isFileGone { return }
        }
        try SQLiteErasure(directory: directory).giveBackRoom(of: day, at: now)
    }

    func finish() async {
        store.close()
    }

    /// Makes rows of the records.
    private func collect(_ batch: FrozenBatch, at now: Timestamp) throws -> SQLiteRecords {
        var records = SQLiteRecords(of: batch.journal, known: tried.known(of: batch))
        try batch.forEach(into: &self.batch) { decoded, record in
            run.append(record.sequence)
            records.add(record.sequence, since: run.start)
            let tenantID = try store.tenantID(of: record.tenant, at: now)
            rows.add(decoded, sequence: record.sequence, tenantID: tenantID)
            try rows.addSampledOut(of: record, tenantID: tenantID)
        }
        return records
    }

    /// A span alone, as the record has it.
    private static func encode(_ row: SpanRow, of frozen: FrozenBatch) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var encoder = SingleSpanEncoder()
        var batch = Batch(decodedLimit: .max)
        let record = frozen.records.filter { $0.sequence == row.sequence }
        let alone = FrozenBatch(journal: frozen.journal, records: record, recoveredThrough: frozen.recoveredThrough)
        try alone.forEach(into: &batch) { batch, record in
            if row.isSampledOut, try !record.decodeSampledOut(into: &batch) { return }
            let place = row.isSampledOut ? row.place - Int32(record.spanCount) : row.place
            if let span = encoder.encode(place, of: batch) { bytes = Array(span) }
        }
        return bytes
    }
}
