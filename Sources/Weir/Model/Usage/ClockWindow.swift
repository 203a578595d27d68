/// The days that a span may lie in, by the clock of the collector that took it. What starts before or after is moved to
/// the edge and marked, so that a client whose clock says 1970 makes no partition for it.
///
/// It depends on nothing but the record: brought again, after whatever restart, a span goes to the same day.
struct ClockWindow: Sendable {
    static let pastDays = 30
    static let futureDays = 1

    private let earliest: UInt64
    private let latest: UInt64

    init(receivedAt: Timestamp) {
        let today = Day(receivedAt).number
        earliest = Day(number: max(0, today - Self.pastDays)).start.nanoseconds
        // A file that is restored says what a sender's clock said: the last day that there is may be today.
        let end = min(today + Self.futureDays + 1, Int(UInt64.max / Day.nanoseconds))
        latest = Day(number: end).start.nanoseconds - 1
    }

    /// A time of receipt by which what starts at `time` lies on this day. What was moved stands at an edge of the days
    /// that were believed then.
    static func receipt(of time: UInt64, on day: Day) -> Timestamp {
        let own = Day(Timestamp(nanoseconds: time))
        let days = own == day ? 0 : own < day ? pastDays : -futureDays
        // No clock says a later day.
        return Day(number: min(max(day.number + days, 0), 200_000)).start
    }

    /// - Returns: nanoseconds since 1970.
    func clamp(_ time: UInt64) -> UInt64 {
        min(max(time, earliest), latest)
    }
}
