import Synchronization

/// Whether Weir takes requests, for those who send it traffic.
final class Health: Sendable {
    enum Phase: String, Sendable {
        case starting, ready, stopping
    }

    private struct Locked {
        var waitingFor: Int
        var phase = Phase.starting
    }

    private let locked: Mutex<Locked>

    private let observe: Mutex<@Sendable () -> [String]>
    private let refuse = Mutex<@Sendable () -> String?>({ nil })

    /// - Parameters:
    ///   - receivers: how many must report before Weir is ready.
    ///   - complaints: says what is wrong, a line each.
    init(receivers: Int, complaints: @escaping @Sendable () -> [String] = { [] }) {
        observe = Mutex(complaints)
        locked = Mutex(Locked(waitingFor: receivers))
    }

    var phase: Phase { locked.withLock { $0.phase } }

    /// What is wrong though Weir runs, a line each.
    var complaints: [String] { observe.withLock { $0 }() }

    /// Why no request at all is taken though Weir runs; nil where some are.
    var refusal: String? { refuse.withLock { $0 }() }

    /// - Parameters:
    ///   - complaints: says what is wrong from now on.
    ///   - refusal: says why nothing is taken, from now on.
    func watch(_ complaints: @escaping @Sendable () -> [String], refusal: @escaping @Sendable () -> String? = { nil }) {
        observe.withLock { $0 = complaints }
        refuse.withLock { $0 = refusal }
    }

    /// - Returns: whether this was the last receiver.
    func receiverIsReady() -> Bool {
        locked.withLock { locked in
            locked.waitingFor -= 1
            guard locked.waitingFor == 0, locked.phase == .starting else { return false }
            locked.phase = .ready
            return true
        }
    }

    func stop() {
        locked.withLock { $0.phase = .stopping }
    }
}
