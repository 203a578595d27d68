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
    ///   - newest: the newest day that had spans when all began; nil where there was none.
    ///   - instant: when this is asked, by a clock that does not jump.
    mutating func believes(
        _ now: Timestamp, newest: Day?, at instant: ContinuousClock.Instant = .now
    ) -> Bool {
        let today = Day(now)
        // Kept from here on: spans may come by the same clock, and say nothing for it then.
        let last = lastBelieved ?? newest ?? today
        lastBelieved = last
        if today > last + Self.maximumJump {
            let since = doubtedSince ?? instant
            doubtedSince = since
            guard instant - since >= Self.patience else { return false }
        }
        // One that is behind, as before a machine has asked for the time, is no measure for when it is right.
        (lastBelieved, doubtedSince) = (max(last, today), nil)
        return true
    }

    /// By what time spans that come are too old to be stored: by none while the clock is not believed.
    mutating func timeForStoring(_ now: Timestamp, newest: Day?) -> Timestamp {
        believes(now, newest: newest) ? now : Timestamp(nanoseconds: 0)
    }
}
