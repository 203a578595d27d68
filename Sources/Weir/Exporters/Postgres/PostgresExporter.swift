import Logging

/// Stores spans in the hot tables of a PostgreSQL database, each exactly once. `docs/postgres.md` says what a reader
/// may rely on, and what each failure leads to.
actor PostgresExporter: Exporter {
    static let type = "postgres"
    static let help = "Stores spans in PostgreSQL, in tables for SQL."
    /// The ledger knows records, so a record is stored as a whole. One batch is stored at a time, while the next is
    /// read.
    static let deliveryDefaults = DeliveryDefaults(consumers: 2, maxConsumers: 2, splitsRecords: false)

    private let configuration: PostgresConfiguration
    private let retention: Retention
    private let clock: @Sendable () -> Timestamp
    private let executor: BlockingExecutor
    private let interrupt = Interrupt()
    private let housekeeping: Housekeeping
    private let telemetry: PostgresTelemetry
    private let logger: Logger
    /// Nil until the first batch, and after a failure.
    private var writer: PostgresWriter?
    private var tried = TriedRecords()
    private var retentionClock = RetentionClock()
    /// The newest day that had spans when this connected for the first time; nil before that.
    private var newestAtStart: Day??

    init(_ configuration: PostgresConfiguration, _ context: Context) throws {
        self.init(configuration, context, clock: Timestamp.now)
    }

    /// - Parameter clock: the time of day.
    init(_ configuration: PostgresConfiguration, _ context: Context, clock: @escaping @Sendable () -> Timestamp) {
        self.configuration = configuration
        self.clock = clock
        executor = BlockingExecutor(label: "weir.\(context.id)")
        telemetry = PostgresTelemetry(context)
        logger = context.logger
        retention = Retention(
            configuration.retention, classes: configuration.retentionClasses, mayDrop: context.mayDrop)
        let upkeep = PostgresUpkeep(configuration.connection, schema: configuration.schema, retention)
        housekeeping = upkeep.housekeeping(context.logger)
        logger.info(
            "storing", metadata: ["schema": "\(configuration.schema)", "retention": "\(configuration.retention.text)"])
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Returns when the batch is committed.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        interrupt.reset()
        let outcome = await withTaskCancellationHandler {
            store(batch)
        } onCancel: {
            interrupt.raise()
        }
        try outcome.get()
    }

    nonisolated func tick(at now: Timestamp) async {
        housekeeping.tick(at: now)
    }

    func finish() async {
        writer = nil
        await housekeeping.finish()
    }

    private func store(_ batch: FrozenBatch) -> Result<Void, ExportError> {
        let known = tried.known(of: batch)
        var isTried = false
        defer { if isTried { tried.add(batch) } }
        do {
            var writer = try takeWriter()
            let now = clock()
            let time = retentionClock.timeForStoring(now, newest: newestAtStart ?? nil)
            let counts = try writer.store(batch, at: now, overBy: time, known: known, isTried: &isTried)
            self.writer = consume writer
            telemetry.count(counts)
            if counts.rejected > 0 {
                logger.warning(
                    "the tables did not take spans; they are in rejects", metadata: ["spans": "\(counts.rejected)"])
            }
            return .success(())
        } catch let error as PostgresError {
            return .failure(.retryable(error.reason, after: nil))
        } catch let error as JournalConflict {
            return .failure(.retryable("\(error)", after: nil))
        } catch {
            return .failure(.rejected("a record cannot be read: \(error)"))
        }
    }

    /// After an error nobody knows what state a session is in, so it is not put back.
    private func takeWriter() throws(PostgresError) -> PostgresWriter {
        if let writer = writer.take() { return writer }
        let connection = try PostgresSession.open(
            configuration.connection, schema: configuration.schema, interrupt: interrupt)
        try PostgresMigrations.apply(on: connection)
        if newestAtStart == nil { newestAtStart = .some(try PostgresRetention.newestDay(on: connection)) }
        logger.info("connected", metadata: ["server": "\(connection.serverVersion / 10_000)"])
        return try PostgresWriter(connection, retention)
    }
}
