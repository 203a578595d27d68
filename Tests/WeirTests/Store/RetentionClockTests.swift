import Testing

@testable import Weir

struct RetentionClockTests {
    private var clock = RetentionClock()
    private static let start = ContinuousClock.now

    /// - Parameter passed: since the first look, by a clock that does not jump.
    private mutating func believes(_ day: Int, newest: Int? = nil, after passed: Duration = .zero) -> Bool {
        clock.believes(
            Day(number: day).start, newest: newest.map { Day(number: $0) }, at: Self.start + passed)
    }

    @Test mutating func aClockThatGoesOnIsBelieved() {
        let days = stride(from: 1_000, to: 2_000, by: RetentionClock.maximumJump) + [1_500, 1_531]
        for day in days {
            let isBelieved = believes(day, newest: 1_000)
            #expect(isBelieved, "\(day)")
        }
    }

    @Test mutating func oneThatJumpsIsDoubtedForADay() {
        let answers = [
            believes(1_000, newest: 1_000), believes(1_032, newest: 1_000),
            believes(1_032, newest: 1_032, after: RetentionClock.patience - .seconds(1)),
            believes(1_032, newest: 1_032, after: RetentionClock.patience),
            believes(1_033, newest: 1_032, after: RetentionClock.patience),
        ]
        #expect(answers == [true, false, false, true, true])
    }

    @Test mutating func whoSetsItRightEndsTheDoubt() {
        let answers = [
            believes(1_000), believes(9_000), believes(1_001, after: .seconds(5)),
            believes(9_000, after: RetentionClock.patience),
        ]
        #expect(answers == [true, false, true, false], "it begins anew")
    }

    @Test mutating func atTheStartTheNewestSpansTell() {
        let first = [believes(1_032, newest: 1_000), believes(1_032, newest: 1_032)]
        #expect(first == [false, false], "also where spans come by the same clock")
        clock = RetentionClock()
        let idle = believes(1_031, newest: 1_000)
        clock = RetentionClock()
        let empty = believes(1_040)
        #expect(idle && empty)
    }

    /// As machines do that have no battery, until they have asked for the time.
    @Test mutating func oneThatBeginsIn1970IsBelievedOnceItIsRight() {
        let answers = [believes(1, newest: 20_000), believes(20_003, newest: 20_000)]
        #expect(answers == [true, true])
    }
}
