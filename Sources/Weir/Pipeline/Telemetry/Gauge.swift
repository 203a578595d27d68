import Synchronization

/// A number that goes up and down.
final class Gauge: Sendable {
    /// The bits of a `Double`: the standard library has no atomic of that type.
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func set(_ value: Int) {
        set(Double(value))
    }

    /// - Parameter amount: may be negative.
    func add(_ amount: Double) {
        bits.addDouble(amount)
    }
}

extension Atomic<UInt64> {
    /// Adds to the `Double` whose bits this holds.
    borrowing func addDouble(_ amount: Double) {
        var old = load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, original) = weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
