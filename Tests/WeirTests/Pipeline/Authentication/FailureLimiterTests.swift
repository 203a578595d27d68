import Testing

@testable import Weir

@Suite struct FailureLimiterTests {
    private func seconds(_ count: UInt64) -> Timestamp { Timestamp(nanoseconds: count * 1_000_000_000) }

    @Test func slowsAnAddressDownThatFailsTooOften() {
        var limiter = FailureLimiter()
        for _ in 0..<FailureLimiter.allowed { #expect(limiter.fail("a", at: seconds(100)) == nil) }
        #expect(limiter.fail("a", at: seconds(110)) == .seconds(50))
        #expect(limiter.fail("b", at: seconds(110)) == nil)
        #expect(limiter.fail("a", at: seconds(159)) == .seconds(1))
        #expect(limiter.fail("a", at: seconds(160)) == nil)
    }

    @Test func aClockThatWasSetBackEndsTheWindow() {
        var limiter = FailureLimiter()
        for _ in 0..<FailureLimiter.allowed { _ = limiter.fail("a", at: seconds(100)) }
        #expect(limiter.fail("a", at: seconds(99)) == nil)
    }

    @Test func addressesBeyondTheLimitShareACount() {
        var limiter = FailureLimiter()
        for address in 0..<FailureLimiter.maximumAddresses { _ = limiter.fail("\(address)", at: seconds(100)) }
        var waits = 0
        for address in 0..<2 * FailureLimiter.allowed where limiter.fail("x\(address)", at: seconds(100)) != nil {
            waits += 1
        }
        #expect(waits >= FailureLimiter.allowed - 1)
        #expect(limiter.fail("y", at: seconds(161)) == nil, "those of an earlier window are forgotten")
    }
}
