import Synchronization

/// Holds everybody who comes until it is opened.
final class Gate: Sendable {
    private struct Locked {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let locked = Mutex(Locked())

    var waitingCount: Int { locked.withLock { $0.waiting.count } }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = locked.withLock { locked in
                if !locked.isOpen { locked.waiting.append(continuation) }
                return locked.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = locked.withLock { locked in
            locked.isOpen = true
            defer { locked.waiting = [] }
            return locked.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
