import Synchronization

/// Lets one task sleep until somebody has news for it. News that comes while it is awake is kept until it sleeps again.
final class Wakeup: Sendable {
    private enum State {
        case awake
        case awakeWithNews
        case asleep(CheckedContinuation<Void, Never>, turn: UInt64)
    }

    private struct Locked {
        var state = State.awake
        /// Grows when a sleep begins and when it ends, so that an alarm knows whether it is still wanted.
        var turn: UInt64 = 0
    }

    private let locked = Mutex(Locked())

    func wake() {
        wake(turn: nil)
    }

    /// Returns at the next news, or after `interval` if one is given. One task at a time may wait.
    func wait(for interval: Duration?) async {
        let turn = locked.withLock { locked in
            locked.turn += 1
            return locked.turn
        }
        let alarm = interval.map { interval in
            Task {
                try? await Task.sleep(for: interval)
                self.wake(turn: turn)
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleep($0, turn: turn) }
        } onCancel: {
            wake(turn: turn)
        }
        alarm?.cancel()
    }

    private func sleep(_ continuation: CheckedContinuation<Void, Never>, turn: UInt64) {
        let hasNews = locked.withLock { locked in
            if case .awakeWithNews = locked.state {
                locked.state = .awake
                locked.turn += 1
                return true
            }
            locked.state = .asleep(continuation, turn: turn)
            return false
        }
        if hasNews { continuation.resume() }
    }

    /// - Parameter turn: wakes only the sleep with this number, so that an alarm that comes late, or is cancelled because
    ///   news came first, disturbs no later one.
    private func wake(turn: UInt64?) {
        let sleeper = locked.withLock { locked -> CheckedContinuation<Void, Never>? in
            guard case .asleep(let continuation, let current) = locked.state else {
                if turn == nil || turn == locked.turn { locked.state = .awakeWithNews }
                return nil
            }
            guard turn == nil || turn == current else { return nil }
            locked.state = .awake
            locked.turn += 1
            return continuation
        }
        sleeper?.resume()
    }
}
