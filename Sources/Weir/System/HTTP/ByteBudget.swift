import Synchronization

/// Bytes that may be in use at once, in a whole server.
final class ByteBudget: Sendable {
    private let limit: Atomic<Int>
    private let used = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = Atomic(limit)
    }

    func setLimit(_ limit: Int) {
        self.limit.store(limit, ordering: .relaxed)
    }

    var inUse: Int { used.load(ordering: .relaxed) }

    /// - Returns: whether there was room. If not, nothing was taken.
    func acquire(_ bytes: Int) -> Bool {
        guard used.add(bytes, ordering: .relaxed).newValue > limit.load(ordering: .relaxed) else { return true }
        release(bytes)
        return false
    }

    func release(_ bytes: Int) {
        used.subtract(bytes, ordering: .relaxed)
    }
}
