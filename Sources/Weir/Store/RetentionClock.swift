/// Whether the hot tables believe the clock by which days go. One that jumps ahead, as that of a machine which wakes up
/// or has not asked for the time yet, would otherwise empty them within seconds.
struct RetentionClock {
    /// Days from one look to the next, or from the newest spans to the first look.
    static let maximumJump = 31
    /// A clock that stays where it jumped to for so long is right: somebody would have seen the warnings.
    static let patience = Duration.seconds(86_400)

    /// What is said meanwhile.
    static let doubt = "the clock is more than \(maximumJump) days ahead: no day goes before it has been so for a day"

    private var lastBelieved: Day?
    private var doubtedSince: ContinuousClock.Instant?

    /// - Parameters:
    ///   - newest: the newest day of the tables; nil where there is none.
    ///   - instant: when this is asked, by a clock that does not jump.
    mutating func believes(
        _ now: Timestamp, newest: Day?, at instant: ContinuousClock.Instant = .now
    ) -> Bool {
        let today = Day(now)
        if let last = lastBelieved ?? newest, today > last + Self.maximumJump {
            // Spans may come by the same clock, and say nothing for it then.
            lastBelieved = last
            let since = doubtedSince ?? instant
            doubtedSince = since
            guard instant - since >= Self.patience else { return false }
        }
        (lastBelieved, doubtedSince) = (today, nil)
        return true
    }
}
