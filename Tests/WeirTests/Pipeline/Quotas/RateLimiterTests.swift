import Testing

@testable import Weir

@Suite struct RateLimiterTests {
    private func seconds(_ count: Double) -> Timestamp { Timestamp(nanoseconds: UInt64(count * 1e9)) }

    @Test func namesBeyondTheMostShareOneAndNoneIsForgottenThatOwes() {
        let limiter = RateLimiter { _ in [1] }
        let names = (0..<RateLimiter.maximumNames).map { "client \($0)" }
        for name in names {
            #expect(limiter.admit(name, at: seconds(1)) == nil)
            limiter.charge(name, [1], at: seconds(1))
        }
        #expect(limiter.admit("one more", at: seconds(1)) == nil)
        limiter.charge("one more", [1], at: seconds(1))
        #expect(limiter.admit("and another", at: seconds(1)) != nil)
        #expect(limiter.admit(names[0], at: seconds(1)) != nil)
        #expect(limiter.admit("and another", at: seconds(2)) == nil, "those that took nothing for a second made room")
    }

    @Test func saysWhichOfSeveralBucketsIsEmpty() throws {
        let limiter = RateLimiter { _ in [0, 10, 1_000] }
        limiter.charge("shop", [1, 1, 3_000], at: seconds(1))
        let over = try #require(limiter.admit("shop", at: seconds(1)))
        #expect(over.index == 2 && over.rate == 1_000 && over.pause == .seconds(2.001))
        #expect(limiter.admit("bank", at: seconds(1)) == nil)
    }
}
