import Synchronization

/// Whether a reader of a journal waits for a key, and since when.
final class KeyWait: Sendable {
    private let locked = Mutex<(key: AwaitedKey, since: ContinuousClock.Instant)?>(nil)

    /// Nil where it does not wait.
    var since: ContinuousClock.Instant? { locked.withLock { $0?.since } }

    /// Begins, or goes on.
    /// - Returns: the key that was waited for until now, if it was another one.
    func note(_ key: AwaitedKey) -> AwaitedKey? {
        locked.withLock { locked in
            let former = locked
            locked = (key, former?.since ?? .now)
            return former?.key.id == key.id ? nil : former?.key
        }
    }

    /// - Returns: what was waited for.
    func end() -> AwaitedKey? {
        locked.withLock { locked in
            defer { locked = nil }
            return locked?.key
        }
    }
}
