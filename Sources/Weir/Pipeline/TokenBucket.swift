/// Keeps requests below a number a minute, whichever minute is looked at. No clock: time comes in.
struct TokenBucket {
    private let capacity: Double
    /// Tokens a second.
    private let rate: Double
    private var tokens: Double
    private var at: ContinuousClock.Instant

    /// What may come at once and what follows within a minute are together not more than the limit.
    init(perMinute: Int, at now: ContinuousClock.Instant) {
        capacity = max(1, Double(perMinute) / 10)
        rate = max(1, Double(perMinute) - capacity) / 60
        tokens = capacity
        at = now
    }

    /// Takes a token, which may be one that comes later.
    /// - Returns: how long to wait for it.
    mutating func take(at now: ContinuousClock.Instant) -> Duration {
        tokens = min(capacity, tokens + max(0, (now - at) / .seconds(1)) * rate)
        at = max(at, now)
        tokens -= 1
        return tokens >= 0 ? .zero : .seconds(-tokens / rate)
    }
}
