import Logging

/// What has to be done to the tables from time to time, on a session of its own: the tables themselves, partitions for
/// the coming days, and the end of old ones.
actor PostgresUpkeep {
    static let interval: Duration = .seconds(3_600)
    /// After one that failed.
    static let retryInterval: Duration = .seconds(60)

    private let connection: String
    private let schema: String
    private let retention: Retention
    private let executor: BlockingExecutor
    private let interrupt = Interrupt()

    /// - Parameter connection: a connection string, URL or keywords.
    init(_ connection: String, schema: String, _ retention: Retention) {
        self.connection = connection
        self.schema = schema
        self.retention = retention
        executor = BlockingExecutor(label: "weir.postgres.upkeep")
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Ends soon when its task is cancelled.
    /// - Returns: the days that were dropped.
    func run(at now: Timestamp) async throws -> [Day] {
        interrupt.reset()
        return try await withTaskCancellationHandler {
            try await work(at: now)
        } onCancel: {
            interrupt.raise()
        }
    }

    private func work(at now: Timestamp) async throws -> [Day] {
        let connection = try PostgresSession.open(connection, schema: schema, interrupt: interrupt)
        defer { connection.close() }
        try PostgresMigrations.apply(on: connection)
        var partitions = PostgresPartitions()
        try partitions.make(PostgresPartitions.ahead(at: now), on: connection)
        var days: [Day] = []
        for day in retention.expired(try PostgresRetention.days(on: connection), at: now)
        where await retention.mayDrop(day) {
            days.append(day)
        }
        for day in retention.partlyExpired(try PostgresRetention.days(on: connection), at: now) {
            let tenants = try PostgresRetention.tenants(of: day, on: connection)
            let over = tenants.filter { retention.isOver(day, for: $0.value, at: now) }
            guard !over.isEmpty, await retention.mayDrop(day) else { continue }
            if over.count == tenants.count {
                days.append(day)
            } else {
                try PostgresRetention.remove(Array(over.keys), of: day, on: connection)
            }
        }
        guard try PostgresRetention.drop(days, on: connection) else { return [] }
        let past = UInt64(max(0, retention.longest / .nanoseconds(1)))
        let kept = Day(Timestamp(nanoseconds: now.nanoseconds - min(now.nanoseconds, past)))
        // What may not be dropped needs its resources for as long.
        let oldest = try PostgresRetention.days(on: connection).min() ?? kept
        try PostgresRetention.prune(before: min(kept, oldest), on: connection)
        return days
    }
}

extension PostgresUpkeep {
    /// Does it when it is due, and says what became of it.
    nonisolated func housekeeping(_ logger: Logger) -> Housekeeping {
        Housekeeping(after: .zero, every: Self.interval, retryInterval: Self.retryInterval) { now in
            do {
                let days = try await self.run(at: now).map(\.text)
                if !days.isEmpty {
                    logger.info("dropped days that are over", metadata: ["days": "\(days.joined(separator: " "))"])
                }
                return true
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
