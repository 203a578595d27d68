/// How fast the exporter that is furthest behind catches up, for the `Retry-After` of requests that find no room.
struct DrainRate {
    /// How long something that happened once still counts, about.
    static let memory = 10.0
    /// What a client is told at least and at most.
    static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(30)

    private var bytesPerSecond = 0.0
    private var pending = 0
    private var since: ContinuousClock.Instant?

    /// So many bytes are done.
    mutating func note(_ bytes: Int, at now: ContinuousClock.Instant) {
        guard let since else {
            self.since = now
            return
        }
        pending += bytes
        let seconds = (now - since) / .seconds(1)
        guard seconds >= 0.1 else { return }
        let share = min(1, seconds / Self.memory)
        bytesPerSecond += (Double(pending) / seconds - bytesPerSecond) * max(share, 0.2)
        pending = 0
        self.since = now
    }

    /// When so many bytes will be done.
    func pause(for bytes: Int, at now: ContinuousClock.Instant) -> Duration {
        // What has not moved for long will not move soon.
        let idle = since.map { (now - $0) / .seconds(1) } ?? Self.memory
        let rate = bytesPerSecond * min(1, 1 / max(idle, 1))
        guard rate > 1 else { return Self.pauses.upperBound }
        return min(max(.seconds(Double(bytes) / rate), Self.pauses.lowerBound), Self.pauses.upperBound)
    }
}
