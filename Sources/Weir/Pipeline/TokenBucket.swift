/// Keeps requests below a number a minute, whichever minute is looked at. No clock: time comes in.
struct TokenBucket {
    private(set) var perMinute: Int
    private var tokens: Double
    private var at: ContinuousClock.Instant

    init(perMinute: Int, at now: ContinuousClock.Instant) {
        self.perMinute = perMinute
        tokens = 0
        at = now
        tokens = capacity
    }

    /// What may come at once and what follows within a minute are together not more than the limit.
    private var capacity: Double { max(1, Double(perMinute) / 10) }
    /// Tokens a second.
    private var rate: Double { max(1, Double(perMinute) - capacity) / 60 }

    /// From now on there are more, or fewer. What was taken stays so.
    mutating func change(toPerMinute perMinute: Int, at now: ContinuousClock.Instant) {
        fill(at: now)
        self.perMinute = perMinute
        tokens = min(capacity, tokens)
    }

    /// Takes a token, which may be one that comes later.
    /// - Returns: how long to wait for it.
    mutating func take(at now: ContinuousClock.Instant) -> Duration {
        fill(at: now)
        tokens -= 1
        return tokens >= 0 ? .zero : .seconds(-tokens / rate)
    }

    private mutating func fill(at now: ContinuousClock.Instant) {
        tokens = min(capacity, tokens + max(0, (now - at) / .seconds(1)) * rate)
        at = max(at, now)
    }
}
