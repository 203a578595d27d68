import Testing

@testable import Weir

@Suite struct BackoffTests {
    @Test func doublesUpToHalfAMinuteAndShortensByHalfAtMost() {
        for _ in 0..<100 {
            var backoff = Backoff()
            for ceiling in [1, 2, 4, 8, 16, 30, 30, 30] {
                let pause = backoff.next()
                #expect(pause >= .seconds(ceiling) / 2)
                #expect(pause <= .seconds(ceiling))
            }
        }
    }

    @Test func isNotTheSameEachTime() {
        let pauses = Set(
            (0..<20).map { _ in
                var backoff = Backoff()
                return backoff.next()
            })
        #expect(pauses.count > 1)
    }
}
