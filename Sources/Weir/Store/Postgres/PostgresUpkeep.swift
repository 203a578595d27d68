import Logging

/// What has to be done to the tables from time to time, on a session of its own: the tables themselves, partitions for
/// the coming days, and the end of old ones.
actor PostgresUpkeep {
    static let interval: Duration = .seconds(3_600)
    /// After one that failed, or that has to wait for an answer.
    static let retryInterval: Duration = .seconds(60)

    private let connection: String
    private let schema: String
    private let retention: Retention
    private let executor: BlockingExecutor
    private let interrupt = Interrupt()
    /// Whether there are days of which nobody knew yet if they may go.
    private var isWaiting = false
    private var clock = RetentionClock()
    /// Whether days stay because that was not believed.
    private var isInDoubt = false

    /// - Parameter connection: a connection string, URL or keywords.
    init(_ connection: String, schema: String, _ retention: Retention) {
        self.connection = connection
        self.schema = schema
        self.retention = retention
        executor = BlockingExecutor(label: "weir.postgres.upkeep")
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Ends soon when its task is cancelled.
    /// - Parameter note: is told which days were dropped, before anything else can fail.
    /// - Returns: the days that were dropped.
    @discardableResult
    func run(at now: Timestamp, note: @Sendable ([Day]) -> Void = { _ in }) async throws -> [Day] {
        interrupt.reset()
        return try await withTaskCancellationHandler {
            try await work(at: now, note)
        } onCancel: {
            interrupt.raise()
        }
    }

    private func work(at now: Timestamp, _ note: @Sendable ([Day]) -> Void) async throws -> [Day] {
        let connection = try PostgresSession.open(connection, schema: schema, interrupt: interrupt)
        defer { connection.close() }
        try PostgresMigrations.apply(on: connection)
        var partitions = PostgresPartitions()
        try partitions.make(PostgresPartitions.ahead(at: now), on: connection)
        isWaiting = false
        let expired = retention.expired(try PostgresRetention.days(on: connection), at: now)
        let isBelieved = clock.believes(now, newest: try PostgresRetention.newestDay(on: connection))
        isInDoubt = !isBelieved && !expired.isEmpty
        guard isBelieved else { return [] }
        var days: [Day] = []
        for day in expired where await mayDrop(day) { days.append(day) }
        guard try PostgresRetention.drop(days, on: connection) else { return [] }
        note(days)
        let kept = retention.firstDay(at: now)
        // What may not be dropped needs its resources for as long.
        let left = try PostgresRetention.days(on: connection)
        try PostgresRetention.prune(before: min(kept, left.min() ?? kept), on: connection)
        // Rows go one by one, even where nobody else has any: a late one of somebody else may be on its way.
        for day in retention.partlyExpired(left, at: now) {
            let tenants = try PostgresRetention.tenants(of: day, on: connection)
            let over = tenants.filter { retention.isOver(day, for: $0.value, at: now) }
            if !over.isEmpty, await mayDrop(day) {
                try PostgresRetention.remove(Array(over.keys), of: day, on: connection)
            }
        }
        return days
    }

    private func mayDrop(_ day: Day) async -> Bool {
        let answer = await retention.mayDrop(day)
        if answer == nil { isWaiting = true }
        return answer ?? false
    }
}

extension PostgresUpkeep {
    /// Does it when it is due, and says what became of it.
    nonisolated func housekeeping(_ logger: Logger) -> Housekeeping {
        Housekeeping(after: .zero, every: Self.interval, retryInterval: Self.retryInterval) { now in
            do {
                try await self.run(at: now) { days in
                    guard !days.isEmpty else { return }
                    let names = days.map(\.text).joined(separator: " ")
                    logger.info("dropped days that are over", metadata: ["days": "\(names)"])
                }
                if await self.isInDoubt { logger.warning("\(RetentionClock.doubt)") }
                return await !self.isWaiting
            } catch {
                if !Task.isCancelled {
                    let reason = (error as? PostgresError)?.reason ?? "\(error)"
                    logger.warning("could not keep up the partitions", metadata: ["reason": "\(reason)"])
                }
                return false
            }
        }
    }
}
