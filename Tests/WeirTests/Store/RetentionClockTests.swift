import Testing

@testable import Weir

struct RetentionClockTests {
    private static let start = ContinuousClock.now

    private func time(_ day: Int) -> Timestamp { Day(number: day).start }

    @Test func aClockThatGoesOnIsBelieved() {
        var clock = RetentionClock()
        for day in stride(from: 1_000, to: 2_000, by: RetentionClock.maximumJump) {
            #expect(clock.believes(time(day), newest: Day(number: 1_000), at: Self.start), "\(day)")
        }
        #expect(clock.believes(time(1_500), newest: nil, at: Self.start), "and one that is set back")
        #expect(clock.believes(time(1_531), newest: nil, at: Self.start))
    }

    @Test func oneThatJumpsIsDoubtedForADay() {
        var clock = RetentionClock()
        #expect(clock.believes(time(1_000), newest: Day(number: 1_000), at: Self.start))
        let (ahead, patience) = (time(1_032), RetentionClock.patience)
        #expect(!clock.believes(ahead, newest: Day(number: 1_000), at: Self.start))
        #expect(!clock.believes(ahead, newest: Day(number: 1_032), at: Self.start + patience - .seconds(1)))
        #expect(clock.believes(ahead, newest: Day(number: 1_032), at: Self.start + patience))
        #expect(clock.believes(time(1_033), newest: Day(number: 1_032), at: Self.start + patience))
    }

    @Test func whoSetsItRightEndsTheDoubt() {
        var clock = RetentionClock()
        #expect(clock.believes(time(1_000), newest: nil, at: Self.start))
        #expect(!clock.believes(time(9_000), newest: nil, at: Self.start))
        #expect(clock.believes(time(1_001), newest: nil, at: Self.start + .seconds(5)))
        #expect(!clock.believes(time(9_000), newest: nil, at: Self.start + RetentionClock.patience), "it begins anew")
    }

    @Test func atTheStartTheNewestSpansTell() {
        var (ahead, idle, empty) = (RetentionClock(), RetentionClock(), RetentionClock())
        #expect(!ahead.believes(time(1_040), newest: Day(number: 1_000), at: Self.start))
        #expect(!ahead.believes(time(1_040), newest: Day(number: 1_040), at: Self.start), "spans by the same clock")
        #expect(idle.believes(time(1_031), newest: Day(number: 1_000), at: Self.start))
        #expect(empty.believes(time(1_040), newest: nil, at: Self.start))
    }
}
