/// Counts how often an address has failed to say who it is, so that whoever tries is slowed down and does not fill the
/// log. A client that shows a good key is never slowed down, whoever else shares its address.
struct FailureLimiter {
    static let maximumAddresses = 10_000
    static let window = Duration.seconds(60)
    /// A full table is looked through no more often than this: a look costs three times what a refusal does, and holds
    /// up the other loops.
    static let pause = Duration.seconds(1)
    /// Failures within a window that are answered as such.
    static let allowed = 20

    private struct Count {
        var since: Timestamp
        var failures = 0
    }

    private var counts: [String: Count] = [:]
    private var sweptAt: Timestamp?

    /// Notes a failure.
    /// - Returns: how long the address has to wait; nil where it may go on trying.
    mutating func fail(_ address: String, at now: Timestamp) -> Duration? {
        let address = address.clientNetwork
        if counts.count >= Self.maximumAddresses, counts[address] == nil,
            sweptAt.map({ isOver($0, after: Self.pause, at: now) }) ?? true
        {
            counts = counts.filter { !isOver($0.value.since, after: Self.window, at: now) }
            sweptAt = now
        }
        // When there is no room for one more, those beyond share a count.
        let place = counts.count < Self.maximumAddresses || counts[address] != nil ? address : ""
        var count = counts[place] ?? Count(since: now)
        if isOver(count.since, after: Self.window, at: now) { count = Count(since: now) }
        count.failures += 1
        counts[place] = count
        guard count.failures > Self.allowed else { return nil }
        return Self.window - .nanoseconds(Int64(now.nanoseconds - count.since.nanoseconds))
    }

    /// A clock that was set back ends the window too.
    private func isOver(_ since: Timestamp, after limit: Duration, at now: Timestamp) -> Bool {
        now < since || .nanoseconds(Int64(now.nanoseconds - since.nanoseconds)) >= limit
    }
}
