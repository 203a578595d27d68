import Testing

@testable import Weir

struct RetentionTests {
    @Test func aDayGoesOnceItsEndIsOlderThanTheRetention() {
        let retention = Retention(.seconds(2 * 86_400))
        let days = [Day(number: 99), Day(number: 97), Day(number: 98), Day(number: 100)]
        let end = Day(number: 101).start.nanoseconds
        #expect(retention.expired(days, at: Timestamp(nanoseconds: end)).map(\.number) == [97, 98])
        #expect(retention.expired(days, at: Timestamp(nanoseconds: end - 1)).map(\.number) == [97])
        #expect(retention.expired(days, at: Timestamp(nanoseconds: 5)).isEmpty)
    }

    @Test func aDayIsNamedByItsDate() {
        let day = Day(Timestamp(nanoseconds: 1_700_000_000_000_000_000))
        #expect(day.text == "2023-11-14" && day.compact == "20231114" && (day + 17).text == "2023-12-01")
    }
}
