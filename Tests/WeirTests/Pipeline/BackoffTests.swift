import Testing

@testable import Weir

@Suite struct BackoffTests {
    private let backoff = Backoff(initial: .seconds(1), longest: .seconds(30), multiplier: 2)

    @Test func drawsBetweenATenthAndAllOfACeilingThatGrowsUpToTheLongest() {
        var (shortest, longest) = (backoff, backoff)
        for ceiling in [1, 2, 4, 8, 16, 30, 30, 30] {
            #expect(shortest.next(chance: 0) == .seconds(ceiling) / 10)
            #expect(longest.next(chance: 1) == .seconds(ceiling))
        }
    }

    @Test func isNeverShorterThanTheTimeThatTheDestinationNamed() {
        var backoff = backoff
        #expect(backoff.next(named: .seconds(20), chance: 1) == .seconds(20))
        #expect(backoff.next(named: .seconds(1), chance: 1) == .seconds(2))
    }

    @Test func waitsAnHourAtMostWhateverTheDestinationNames() {
        var backoff = backoff
        #expect(backoff.next(named: .seconds(86_400), chance: 1) == .seconds(3_600))
    }

    @Test func beginsAnewAfterASuccess() {
        var backoff = backoff
        for _ in 0..<10 { _ = backoff.next(chance: 1) }
        backoff.reset()
        #expect(backoff.next(chance: 1) == .seconds(1))
    }
}
