import Synchronization

/// Counts values in buckets of fixed bounds. `observe` takes no lock.
final class Histogram: Sendable {
    /// Upper bounds that one histogram can have; the bucket above them needs none.
    static let maxBounds = 31

    /// For what a client waits for, in seconds.
    static let latency = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// The largest value that each bucket takes, ascending.
    let bounds: [Double]
    private let buckets = InlineArray<32, Atomic<Int>> { _ in Atomic(0) }
    private let sumBits = Atomic<UInt64>(0)

    /// - Parameter bounds: one to ``maxBounds``, finite and ascending.
    init(bounds: [Double]) {
        precondition((1...Self.maxBounds).contains(bounds.count), "a histogram has 1 to \(Self.maxBounds) bounds")
        precondition(bounds.allSatisfy(\.isFinite), "a bound is a finite number")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
    }

    /// Infinity and what is not a number are left out: one of them would make the sum useless for good.
    func observe(_ value: Double) {
        guard value.isFinite else { return }
        // A handful of bounds is searched faster in order than by halves.
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        buckets[index].wrappingAdd(1, ordering: .relaxed)
        sumBits.addDouble(value)
    }

    /// Observes a duration in seconds.
    func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// What was observed so far. Each number is exact; an observation under way may be in one and not yet in the other.
    func read() -> Snapshot {
        let counts = (0...bounds.count).map { buckets[$0].load(ordering: .relaxed) }
        return Snapshot(bounds: bounds, counts: counts, sum: Double(bitPattern: sumBits.load(ordering: .relaxed)))
    }

    struct Snapshot: Equatable, Sendable {
        let bounds: [Double]
        /// Values in each bucket, not cumulative; the last is what exceeds all bounds.
        let counts: [Int]
        let sum: Double

        var count: Int { counts.reduce(0, +) }
    }
}
