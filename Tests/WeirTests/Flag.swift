import Synchronization

/// Something that a test changes while others look at it.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set(_ isSet: Bool) {
        value.withLock { $0 = isSet }
    }
}
