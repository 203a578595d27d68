/// A day in UTC: what the hot tables are partitioned by.
struct Day: Hashable, Comparable, Sendable {
    static let nanoseconds: UInt64 = 86_400_000_000_000
    static let microseconds: Int64 = 86_400_000_000

    /// Since 1970-01-01.
    let number: Int

    init(number: Int) {
        self.number = number
    }

    init(_ time: Timestamp) {
        number = Int(time.nanoseconds / Self.nanoseconds)
    }

    /// Reads ``compact``; nil if it is something else.
    init?(compact text: some StringProtocol) {
        guard text.utf8.count == 8, let date = Int(text), date > 0 else { return nil }
        // As in CalendarTime, years begin on 1 March here.
        let (month, day) = (date / 100 % 100, date % 100)
        let year = date / 10_000 - (month <= 2 ? 1 : 0)
        let days = 365 * year + year / 4 - year / 100 + year / 400
        number = days + (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - 719_468
        guard number >= 0, number <= Int(UInt64.max / Self.nanoseconds), compact == text else { return nil }
    }

    var start: Timestamp { Timestamp(nanoseconds: UInt64(number) * Self.nanoseconds) }

    /// `2026-02-03`
    var text: String { CalendarTime(start).date }

    /// `20260203`, as in the names of partitions and files.
    var compact: String { String(CalendarTime(start).compact.prefix(8)) }

    static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    static func + (day: Day, days: Int) -> Day { Day(number: day.number + days) }
}
