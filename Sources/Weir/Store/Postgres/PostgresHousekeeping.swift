import Logging
import Synchronization

/// Says when ``PostgresUpkeep`` is due, and holds up nobody who asks.
final class PostgresHousekeeping: Sendable {
    static let interval: UInt64 = 3_600_000_000_000
    /// After one that failed.
    static let retryInterval: UInt64 = 60_000_000_000

    private struct Locked {
        var due = Timestamp(nanoseconds: 0)
        var task: Task<Void, Never>?
        var isOver = false
    }

    private let upkeep: PostgresUpkeep
    private let logger: Logger
    private let locked = Mutex(Locked())

    init(_ upkeep: PostgresUpkeep, _ logger: Logger) {
        self.upkeep = upkeep
        self.logger = logger
    }

    /// Begins what is due, and does not wait for it.
    func tick(at now: Timestamp) {
        locked.withLock { locked in
            guard !locked.isOver, locked.task == nil, now >= locked.due else { return }
            locked.task = Task { await self.run(at: now) }
        }
    }

    /// Interrupts what is under way.
    func finish() async {
        let task = locked.withLock { locked in
            locked.isOver = true
            return locked.task
        }
        task?.cancel()
        await task?.value
    }

    private func run(at now: Timestamp) async {
        var pause = Self.interval
        do {
            let days = try await upkeep.run(at: now)
            if !days.isEmpty {
                logger.info(
                    "dropped days that are over", metadata: ["days": "\(days.map(\.text).joined(separator: " "))"])
            }
        } catch {
            pause = Self.retryInterval
            if !locked.withLock({ $0.isOver }) {
                let reason = (error as? PostgresError)?.reason ?? "\(error)"
                logger.warning("could not keep up the partitions", metadata: ["reason": "\(reason)"])
            }
        }
        locked.withLock { locked in
            locked.task = nil
            locked.due = Timestamp(nanoseconds: now.nanoseconds + pause)
        }
    }
}
