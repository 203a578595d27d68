import Testing

@testable import Weir

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("0s", Duration.zero), ("200ms", .milliseconds(200)), ("10s", .seconds(10)), ("1m", .seconds(60)),
        ("1h30m", .seconds(5400)),
        ("30d", .seconds(2_592_000)), ("5us", .microseconds(5)), ("1s1ns", .nanoseconds(1_000_000_001)),
    ])
    func readsAndWritesWholeNumbersWithUnits(text: String, duration: Duration) {
        #expect(Duration(parsing: text) == duration)
        #expect(duration.text == text)
    }

    @Test(arguments: [
        "", "s", "10", "1.5s", "-1s", "10 s", "30m1h", "1s1s", "1w", "1S", "99999999999999999999s", "292y",
        "300000000000h", "106751d24h", "٣s",
    ])
    func refusesEverythingElse(text: String) {
        #expect(Duration(parsing: text) == nil)
    }

    @Test func writesMixedUnitsLargestFirst() {
        #expect(Duration(parsing: "90s")?.text == "1m30s")
        #expect(Duration(parsing: "36h")?.text == "1d12h")
    }
}
