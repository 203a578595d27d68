import Synchronization

/// A number that only grows, from zero at the start of the process.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    /// Keeps the numbers of two counters that were allocated one after the other out of one cache line, so that two
    /// cores counting different things do not wait for each other.
    private let padding = InlineArray<7, Int>(repeating: 0)

    var value: Int { count.load(ordering: .relaxed) }

    /// - Parameter amount: not negative.
    func add(_ amount: Int = 1) {
        precondition(amount >= 0, "a counter never goes down")
        count.wrappingAdd(amount, ordering: .relaxed)
    }
}
