import Testing

@testable import Weir

@Suite struct DrainRateTests {
    private let start = ContinuousClock.now

    /// A rate that was seen for `seconds`, in steps of a tenth.
    private func rate(_ bytesPerSecond: Int, for seconds: Int) -> DrainRate {
        var rate = DrainRate()
        for step in 0...seconds * 10 { rate.note(bytesPerSecond / 10, at: start + .milliseconds(100 * step)) }
        return rate
    }

    @Test func whereNothingMovesThePauseIsTheLongest() {
        #expect(DrainRate().pause(for: 1, at: start) == .seconds(30))
        #expect(rate(0, for: 20).pause(for: 1, at: start + .seconds(20)) == .seconds(30))
    }

    @Test func thePauseIsWhatTheBytesTake() {
        let rate = rate(1_000_000, for: 20)
        let now = start + .seconds(20)
        for seconds in [2, 5, 20] {
            let pause = rate.pause(for: 1_000_000 * seconds, at: now) / .seconds(1)
            #expect(abs(pause - Double(seconds)) < 0.1 * Double(seconds), "found \(pause)")
        }
        #expect(rate.pause(for: 0, at: now) == .seconds(1))
        #expect(rate.pause(for: .max, at: now) == .seconds(30))
    }

    @Test func whatHasStoppedIsWaitedForLonger() {
        let rate = rate(1_000_000, for: 20)
        let pauses = [0, 5, 10, 100].map { rate.pause(for: 2_000_000, at: start + .seconds(20 + $0)) }
        #expect(pauses == pauses.sorted())
        #expect(pauses.last == .seconds(30))
    }

    @Test func aRateThatChangesIsFollowed() {
        var rate = rate(1_000_000, for: 20)
        for step in 1...20 { rate.note(1_000_000, at: start + .seconds(20) + .milliseconds(100 * step)) }
        let pause = rate.pause(for: 50_000_000, at: start + .seconds(22)) / .seconds(1)
        #expect((4...7).contains(pause), "found \(pause)")
    }
}
