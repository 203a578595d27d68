import Synchronization

/// Lets one task sleep until somebody has news for it. News that comes while it is awake is kept until it sleeps again.
///
/// A sleep that news ends early, as under load most are, leaves its alarm to the next one: an alarm that rings too
/// early is set again for the rest. An alarm of its own for each sleep cost 5 % of the whole server.
final class Wakeup: Sendable {
    private enum State {
        case awake
        case awakeWithNews
        case asleep(CheckedContinuation<Void, Never>, until: ContinuousClock.Instant?)
    }

    private struct Alarm {
        let rings: ContinuousClock.Instant
        let task: Task<Void, Never>
    }

    private struct Locked {
        var state = State.awake
        /// Rings no later than the sleep under way is to end.
        var alarm: Alarm?
    }

    private let locked = Mutex(Locked())

    func wake() {
        let sleeper = locked.withLock { locked -> CheckedContinuation<Void, Never>? in
            guard case .asleep(let continuation, _) = locked.state else {
                locked.state = .awakeWithNews
                return nil
            }
            locked.state = .awake
            return continuation
        }
        sleeper?.resume()
    }

    /// Returns at the next news, or after `interval` if one is given. One task at a time may wait.
    func wait(for interval: Duration?) async {
        let end = interval.map { ContinuousClock.now + $0 }
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleep($0, until: end) }
        } onCancel: {
            wake()
        }
    }

    private func sleep(_ continuation: CheckedContinuation<Void, Never>, until end: ContinuousClock.Instant?) {
        let hasNews = locked.withLock { locked in
            if case .awakeWithNews = locked.state {
                locked.state = .awake
                return true
            }
            locked.state = .asleep(continuation, until: end)
            if let end { setAlarm(at: end, &locked) }
            return false
        }
        if hasNews { continuation.resume() }
    }

    private func setAlarm(at end: ContinuousClock.Instant, _ locked: inout Locked) {
        if let alarm = locked.alarm {
            guard end < alarm.rings else { return }
            alarm.task.cancel()
        }
        let task = Task { [weak self] in
            guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
            self?.ring(end)
        }
        locked.alarm = Alarm(rings: end, task: task)
    }

    private func ring(_ time: ContinuousClock.Instant) {
        let sleeper = locked.withLock { locked -> CheckedContinuation<Void, Never>? in
            // One that was replaced just as it rang has nothing to say any more.
            guard locked.alarm?.rings == time else { return nil }
            locked.alarm = nil
            guard case .asleep(let continuation, let end?) = locked.state else { return nil }
            guard end <= time else {
                setAlarm(at: end, &locked)
                return nil
            }
            locked.state = .awake
            return continuation
        }
        sleeper?.resume()
    }
}
