/// Pauses between attempts: each is drawn between a tenth and all of a ceiling that grows, so that those who failed
/// together do not come back together.
struct Backoff {
    /// A destination that names a later time is asked then all the same.
    static let longestNamedPause = Duration.seconds(3_600)

    private let longest: Duration
    private let multiplier: Double
    private let initial: Duration
    private var ceiling: Duration

    init(initial: Duration, longest: Duration, multiplier: Double) {
        self.initial = initial
        self.longest = longest
        self.multiplier = multiplier
        ceiling = initial
    }

    /// - Parameters:
    ///   - named: the time that the destination named; the pause is not shorter.
    ///   - chance: in 0...1.
    mutating func next(named: Duration? = nil, chance: Double) -> Duration {
        let pause = ceiling * (0.1 + 0.9 * chance)
        ceiling = min(ceiling * multiplier, longest)
        return max(pause, min(named ?? .zero, Self.longestNamedPause))
    }

    mutating func reset() {
        ceiling = initial
    }
}

extension Backoff {
    init(_ retry: RetryConfiguration) {
        self.init(initial: retry.initialInterval, longest: retry.maxInterval, multiplier: retry.multiplier)
    }
}
