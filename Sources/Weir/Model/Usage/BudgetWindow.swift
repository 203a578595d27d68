/// In what time a budget may be spent. In UTC, by the starts of calls.
enum BudgetWindow: String, CaseIterable, Sendable {
    case hour, day, month
    /// As long as the run takes.
    case run

    static let hourLength: UInt64 = 3_600_000_000_000
    /// A run's calls are added up over so long.
    static let runLength: UInt64 = 24 * hourLength

    /// When the window began that `now` lies in.
    func start(at now: Timestamp) -> Timestamp {
        let hour = Timestamp(nanoseconds: now.nanoseconds / Self.hourLength * Self.hourLength)
        switch self {
        case .hour: return hour
        case .day: return Day(now).start
        case .month: return Day(number: Day(now).number - (CalendarTime(now).day - 1)).start
        case .run: return Timestamp(nanoseconds: hour.nanoseconds - min(hour.nanoseconds, Self.runLength))
        }
    }
}
