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

    var start: Timestamp { Timestamp(nanoseconds: UInt64(number) * Self.nanoseconds) }

    /// `2026-02-03`
    var text: String { CalendarTime(start).date }

    /// `20260203`, as in the names of partitions and files.
    var compact: String { String(CalendarTime(start).compact.prefix(8)) }

    static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    static func + (day: Day, days: Int) -> Day { Day(number: day.number + days) }
}
