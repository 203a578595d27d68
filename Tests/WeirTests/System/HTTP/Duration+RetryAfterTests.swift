import Testing

@testable import Weir

@Suite struct DurationRetryAfterTests {
    /// 1994-11-06T08:48:37Z
    private let now = Timestamp(nanoseconds: 784_111_717_000_000_000)

    @Test(arguments: [
        ("120", 120), (" 7 ", 7), ("1 ", 1), ("1", 1), ("0", 1), ("3601", 3_600), ("99999999999999999999", 3_600),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 60), ("Sunday, 06-Nov-94 08:49:37 GMT", 60), ("Sun Nov  6 08:49:37 1994", 60),
        ("Sun, 06 Nov 1994 08:48:00 GMT", 1), ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600),
    ])
    func readsSecondsAndDates(text: String, seconds: Int) {
        #expect(Duration(retryAfter: text, at: now) == .seconds(seconds))
    }

    @Test(arguments: ["", "-1", "1.5", "soon", "1 2", "Sun, 06 Nov 1994 08:49:37 GMT+1", "2026-01-01T00:00:00Z"])
    func takesNothingElse(text: String) {
        #expect(Duration(retryAfter: text, at: now) == nil)
    }
}
