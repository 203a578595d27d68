import Testing

@testable import Weir

@Suite struct CalendarTimeTests {
    @Test func knowsSomeMoments() {
        check(0, "1970-01-01T00:00:00.000000000Z")
        check(951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z")
        check(1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z")
        check(1_709_251_200_000_000_000, "2024-03-01T00:00:00.000000000Z")
        check(1_770_091_506_000_000_007, "2026-02-03T04:05:06.000000007Z")
        check(4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z")
        check(.max, "2554-07-21T23:34:33.709551615Z")
    }

    @Test func hasACompactFormForFileNames() {
        #expect(CalendarTime(Timestamp(nanoseconds: 1_770_091_506_000_000_007)).compact == "20260203T040506Z")
    }

    @Test func countsEveryDayUntilTheEndOfTime() {
        var (year, month, day) = (1970, 1, 1)
        for number in 0...Int(UInt64.max / 86_400_000_000_000) {
            let time = CalendarTime(secondsSince1970: number * 86_400 + 86_399)
            guard (time.year, time.month, time.day) == (year, month, day) else {
                Issue.record("day \(number) is \(time.date), not \(year)-\(month)-\(day)")
                return
            }
            day += 1
            guard day > daysOfMonth(month, year) else { continue }
            (month, day) = (month % 12 + 1, 1)
            if month == 1 { year += 1 }
        }
        #expect(year == 2554)
    }

    private func daysOfMonth(_ month: Int, _ year: Int) -> Int {
        let isLeapYear = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        return [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private func check(_ nanoseconds: UInt64, _ text: String, at location: SourceLocation = #_sourceLocation) {
        #expect(Timestamp(nanoseconds: nanoseconds).text == text, sourceLocation: location)
    }
}
