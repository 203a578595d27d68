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

    @Test func addressesOfOneNetworkAreOneClient() {
        var limiter = FailureLimiter()
        for host in 0..<FailureLimiter.allowed { _ = limiter.fail("2001:db8:0:1::\(host)", at: seconds(100)) }
        #expect(limiter.fail("2001:db8:0:1:a:b:c:d", at: seconds(100)) != nil)
        #expect(limiter.fail("2001:db8:0:2::1", at: seconds(100)) == nil)
    }

    @Test func aFullTableIsNotLookedThroughForEachFailure() {
        var limiter = FailureLimiter()
        for address in 0..<FailureLimiter.maximumAddresses { _ = limiter.fail("\(address)", at: seconds(100)) }
        #expect(limiter.fail("x", at: Timestamp(nanoseconds: 159_500_000_000)) == nil, "nothing is over yet")
        // A moment later everything is, but it was looked at half a second ago.
        let waits = (0..<2 * FailureLimiter.allowed).filter { limiter.fail("y\($0)", at: seconds(160)) != nil }
        #expect(waits.count >= FailureLimiter.allowed - 1)
        #expect(limiter.fail("z", at: seconds(161)) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("", ""), ("::1", "0:0:0:0::/64"),
        ("2001:db8::1", "2001:db8:0:0::/64"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3::", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80:0:0:0::/64"),
        ("2001:0:0:1::2:3", "2001:0:0:1::/64"),
    ])
    func aNetworkIsThatOfItsAddresses(address: String, network: String) {
        #expect(address.clientNetwork == network)
    }
}
