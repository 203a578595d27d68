/// A point in time as a calendar in UTC shows it. Whole seconds; leap seconds do not occur in OTLP's times.
///
/// Every time that OTLP can say lies between 1970-01-01T00:00:00Z and 2554-07-21T23:34:33Z.
struct CalendarTime: Equatable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int

    init(_ time: Timestamp) {
        self.init(secondsSince1970: Int(time.nanoseconds / 1_000_000_000))
    }

    init(secondsSince1970 seconds: Int) {
        let secondOfDay = seconds % 86_400
        hour = secondOfDay / 3_600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        // Years are taken to begin on 1 March, so that the leap day is the last of its year. The calendar repeats every
        // 400 years, which have 146,097 days; from 0000-03-01 to 1970-01-01 there are 719,468.
        let days = seconds / 86_400 + 719_468
        let dayOfCycle = days % 146_097
        let leapDays = dayOfCycle / 1_460 - dayOfCycle / 36_524 + dayOfCycle / 146_096
        let yearOfCycle = (dayOfCycle - leapDays) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        // From March on, five months in a row have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = days / 146_097 * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    }

    /// `2026-02-03`
    var date: String { "\(year.digits(4))-\(month.digits(2))-\(day.digits(2))" }

    /// `04:05:06`
    var time: String { "\(hour.digits(2)):\(minute.digits(2)):\(second.digits(2))" }

    /// `20260203T040506Z`
    var compact: String {
        let date = "\(year.digits(4))\(month.digits(2))\(day.digits(2))"
        return "\(date)T\(hour.digits(2))\(minute.digits(2))\(second.digits(2))Z"
    }
}

extension Timestamp {
    /// `2026-02-03T04:05:06.000000007Z`
    var text: String {
        let time = CalendarTime(self)
        return "\(time.date)T\(time.time).\((nanoseconds % 1_000_000_000).digits(9))Z"
    }
}
