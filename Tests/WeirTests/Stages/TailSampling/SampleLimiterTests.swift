import Testing

@testable import Weir

@Suite struct SampleLimiterTests {
    private let second = Timestamp(nanoseconds: 1_000_000_000)

    private func claims(
        _ count: Int, of tenant: Int = 0, size: (Int) -> Int = { _ in 1 }, _ random: inout SplitMix64
    ) -> [SampleLimiter.Claim] {
        (0..<count).map {
            SampleLimiter.Claim(tenant: tenant, randomness: SamplingRandomness(random.next()), size: size($0))
        }
    }

    private func threshold(of claims: [SampleLimiter.Claim], rate: Double) -> SamplingThreshold {
        var limiter = SampleLimiter(rate: rate, burst: rate)
        for claim in claims { limiter.add(claim, at: second) }
        limiter.close(at: second)
        return limiter.threshold(of: 0)
    }

    @Test func keepsAllThatFits() {
        var random = SplitMix64(seed: 1)
        #expect(threshold(of: claims(10, &random), rate: 10) == .always)
    }

    @Test(arguments: [(5, 20), (20, 100), (200, 1_000)])
    func theFirstThatDoesNotFitIsTheThresholdAndCountsStayTrue(rate: Int, count: Int) {
        var random = SplitMix64(seed: UInt64(rate))
        var (estimate, withLastIncluded, kept) = (0.0, 0.0, 0)
        let rounds = 400_000 / count
        for _ in 0..<rounds {
            let claims = claims(count, &random)
            let threshold = threshold(of: claims, rate: Double(rate))
            let chosen = claims.filter { threshold.keeps($0.randomness) }
            estimate += Double(chosen.count) * threshold.adjustedCount
            kept += chosen.count
            let last = SamplingThreshold(rejecting: chosen.map(\.randomness.bits).min() ?? 0)
            withLastIncluded += Double(chosen.count) * last.adjustedCount
        }
        #expect(kept == rate * rounds)
        #expect(abs(estimate / Double(count * rounds) - 1) < 0.01)
        // What the threshold must not be.
        #expect(withLastIncluded / Double(count * rounds) > 1 + 0.7 / Double(rate))
    }

    @Test func spansOfTracesOfManySizesAreCountedTrue() {
        var random = SplitMix64(seed: 3)
        let sizes = [1, 2, 3, 5, 8, 40, 500]
        var (estimate, truth) = (0.0, 0.0)
        for _ in 0..<40_000 {
            let claims = claims(30, size: { sizes[$0 % sizes.count] }, &random)
            let threshold = threshold(of: claims, rate: 200)
            for claim in claims {
                truth += Double(claim.size)
                if threshold.keeps(claim.randomness) { estimate += Double(claim.size) * threshold.adjustedCount }
            }
        }
        // One trace of 500 is more than all that may be kept, and is kept now and then all the same.
        #expect(abs(estimate / truth - 1) < 0.03)
    }

    @Test func whatIsNotUsedIsSavedUpToTheBurst() {
        var limiter = SampleLimiter(rate: 10, burst: 25)
        var random = SplitMix64(seed: 4)
        func kept(_ count: Int, at time: UInt64) -> Int {
            let claims = claims(count, &random)
            let now = Timestamp(nanoseconds: time * 1_000_000_000)
            for claim in claims { limiter.add(claim, at: now) }
            limiter.close(at: now)
            return claims.count { limiter.threshold(of: 0).keeps($0.randomness) }
        }
        #expect(kept(100, at: 1) == 25)
        #expect(kept(100, at: 2) == 10)
        #expect(kept(4, at: 3) == 4)
        #expect(kept(100, at: 4) == 16)
        #expect(kept(100, at: 100) == 25)
    }

    /// A tenant's claims and how many of them are kept beside each other, of a rate of 200.
    private func kept(_ claims: [SampleLimiter.Claim]...) -> [Int] {
        var limiter = SampleLimiter(rate: 200, burst: 200)
        for claim in claims.joined() { limiter.add(claim, at: second) }
        limiter.close(at: second)
        return claims.map { claims in claims.count { limiter.threshold(of: $0.tenant).keeps($0.randomness) } }
    }

    @Test func whoeverChoosesItsRandomnessGoesBeforeNobodyElse() {
        var random = SplitMix64(seed: 5)
        let highest = SampleLimiter.Claim(tenant: 1, randomness: SamplingRandomness((1 << 56) - 1), size: 1)
        #expect(kept(claims(90, &random), Array(repeating: highest, count: 600)) == [90, 0])
        let high = (0..<600).map { SampleLimiter.Claim(tenant: 1, randomness: .init((1 << 56) - 1 - $0), size: 1) }
        #expect(kept(claims(90, &random), high) == [90, 110])
        #expect(kept(claims(900, &random), high) == [100, 100])
    }

    @Test func whatOneDoesNotWantIsTheOthers() {
        var random = SplitMix64(seed: 6)
        let wishes = [10, 300, 20, 400].enumerated().map { claims($1, of: $0, &random) }
        #expect(kept(wishes[0], wishes[1], wishes[2], wishes[3]) == [10, 85, 20, 85])
        // Of traces that are larger than a share each tenant has one.
        let large = (0..<3).map { claims(5, of: $0, size: { _ in 150 }, &random) }
        #expect(kept(large[0], large[1], large[2]) == [1, 1, 1])
    }

    @Test func answersASecondAfterTheFirstClaim() {
        var limiter = SampleLimiter(rate: 1, burst: 1)
        #expect(limiter.due == nil)
        limiter.add(SampleLimiter.Claim(tenant: 0, randomness: SamplingRandomness(1), size: 1), at: second)
        #expect(limiter.due == Timestamp(nanoseconds: 2_000_000_000))
        limiter.close(at: Timestamp(nanoseconds: 2_000_000_000))
        #expect(limiter.due == nil)
    }
}
