/// What may be taken of something that comes back at a rate. A second's worth may be taken at once; whoever takes more
/// than there is owes it, and nothing is given until that is made up for.
struct Bucket {
    /// A second; zero is no limit.
    let rate: Int
    /// Below zero is owed.
    private var left: Double
    private var at: Timestamp

    init(rate: Int, at now: Timestamp) {
        self.rate = rate
        left = Double(rate)
        at = now
    }

    /// - Returns: how long to wait until there is something; nil where there is.
    mutating func pause(at now: Timestamp) -> Duration? {
        refill(at: now)
        return rate == 0 || left > 0 ? nil : .seconds((1 - left) / Double(rate))
    }

    mutating func take(_ amount: Int) {
        if rate > 0 { left -= Double(amount) }
    }

    /// Whether it is as if nothing had ever been taken.
    mutating func isFull(at now: Timestamp) -> Bool {
        refill(at: now)
        return left >= Double(rate)
    }

    /// A clock that was set back gives nothing.
    private mutating func refill(at now: Timestamp) {
        let seconds = now > at ? Double(now.nanoseconds - at.nanoseconds) * 1e-9 : 0
        at = now
        left = min(Double(rate), left + Double(rate) * seconds)
    }
}
