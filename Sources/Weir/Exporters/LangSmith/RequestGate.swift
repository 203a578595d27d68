/// Lets a number of requests through at once, the others in their order. Belongs to an actor.
struct RequestGate {
    private let limit: Int
    private var active = 0
    private var queue: [CheckedContinuation<Void, Never>] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: false where the caller has to ``wait(_:)``.
    mutating func enter() -> Bool {
        guard active < limit else { return false }
        active += 1
        return true
    }

    mutating func wait(_ continuation: CheckedContinuation<Void, Never>) {
        queue.append(continuation)
    }

    mutating func leave() {
        if queue.isEmpty { active -= 1 } else { queue.removeFirst().resume() }
    }
}
