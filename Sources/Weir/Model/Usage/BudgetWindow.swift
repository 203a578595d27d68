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

    /// When the window ends that begins at `start`; nil for a run.
    func end(from start: Timestamp) -> Timestamp? {
        switch self {
        case .hour: Timestamp(nanoseconds: start.nanoseconds + Self.hourLength)
        case .day: (Day(start) + 1).start
        // No month has 32 days, and no two of them have fewer.
        case .month: self.start(at: (Day(start) + 32).start)
        case .run: nil
        }
    }

    /// When the window began that ended at `start`; nil for a run, and before 1970.
    func before(_ start: Timestamp) -> Timestamp? {
        guard self != .run, start.nanoseconds > 0 else { return nil }
        return self.start(at: Timestamp(nanoseconds: start.nanoseconds - 1))
    }
}
