import Synchronization

/// Does something from time to time beside everything else, and holds up nobody who asks.
final class Housekeeping: Sendable {
    private struct Locked {
        /// Nil before the first tick.
        var due: Timestamp?
        var task: Task<Void, Never>?
        var isOver = false
    }

    private let delay: Duration
    private let interval: Duration
    private let retryInterval: Duration
    private let work: @Sendable (Timestamp) async -> Bool
    private let locked = Mutex(Locked())

    /// - Parameters:
    ///   - delay: before the first: whoever starts has other things to do.
    ///   - retryInterval: after one that could not do everything.
    ///   - work: says whether it did; ends soon when its task is cancelled.
    init(
        after delay: Duration, every interval: Duration, retryInterval: Duration,
        _ work: @escaping @Sendable (Timestamp) async -> Bool
    ) {
        (self.delay, self.interval, self.retryInterval, self.work) = (delay, interval, retryInterval, work)
    }

    /// Begins what is due, and does not wait for it.
    func tick(at now: Timestamp) {
        locked.withLock { locked in
            var due = locked.due ?? now.advanced(by: delay)
            // The clock was ahead, and is no more.
            if due > now.advanced(by: max(delay, interval, retryInterval)) { due = now.advanced(by: delay) }
            locked.due = due
            guard !locked.isOver, locked.task == nil, now >= due else { return }
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
        let pause = await work(now) ? interval : retryInterval
        locked.withLock { locked in
            locked.task = nil
            locked.due = now.advanced(by: pause)
        }
    }
}

extension Timestamp {
    fileprivate func advanced(by duration: Duration) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds + UInt64(duration / .nanoseconds(1)))
    }
}
