import Logging
import Testing

@testable import Weir

@Suite struct LogLimiterTests {
    func key(_ message: String, _ level: Logger.Level = .error, _ label: String = "weir") -> LogLimiter.Key {
        LogLimiter.Key(level: level, label: label, message: message)
    }

    @Test func passesTheFirstTenAndThenEveryHundredth() {
        var limiter = LogLimiter()
        var passed: [Int: Int] = [:]
        for number in 1...350 {
            if case .pass(let suppressed) = limiter.admit(key("full"), at: .zero) { passed[number] = suppressed }
        }
        #expect(passed.keys.sorted() == Array(1...10) + [110, 210, 310])
        #expect((1...10).allSatisfy { passed[$0] == 0 })
        #expect([110, 210, 310].allSatisfy { passed[$0] == 99 })
        #expect(limiter.endTick(at: .seconds(10)) == [.init(key: key("full"), suppressed: 40)])
    }

    @Test func startsAgainWithTheNextTick() {
        var limiter = LogLimiter()
        for _ in 1...50 { _ = limiter.admit(key("full"), at: .seconds(3)) }
        #expect(limiter.endTick(at: .seconds(13) - .nanoseconds(1)).isEmpty, "a tick is 10 s from its first line")
        #expect(limiter.admit(key("full"), at: .seconds(12)) == .suppress)
        #expect(limiter.endTick(at: .seconds(13)) == [.init(key: key("full"), suppressed: 41)])
        #expect(limiter.endTick(at: .seconds(13)).isEmpty, "it is told once")
        #expect(limiter.admit(key("full"), at: .seconds(13)) == .pass(suppressed: 0))
    }

    @Test func tellsKindsApartByLevelLabelAndMessage() {
        var limiter = LogLimiter(initial: 1)
        let kinds = [key("a"), key("b"), key("a", .info), key("a", .error, "weir.other")]
        for kind in kinds { #expect(limiter.admit(kind, at: .zero) == .pass(suppressed: 0)) }
        for kind in kinds { #expect(limiter.admit(kind, at: .zero) == .suppress) }
    }

    @Test func saysNothingOfWhatPassed() {
        var limiter = LogLimiter()
        for _ in 1...10 { _ = limiter.admit(key("fine"), at: .zero) }
        #expect(limiter.endTick(at: .seconds(10)).isEmpty)
    }

    @Test func countsFurtherKindsTogetherWhenItsPlacesAreTaken() {
        var limiter = LogLimiter(initial: 2, thereafter: 100, maxKeys: 3)
        for number in 0..<3 { _ = limiter.admit(key("known \(number)"), at: .zero) }
        let verdicts = (0..<50).map { limiter.admit(key("further \($0)"), at: .zero) }
        #expect(verdicts.prefix(2).allSatisfy { $0 == .pass(suppressed: 0) })
        #expect(verdicts.dropFirst(2).allSatisfy { $0 == .suppress })
        #expect(limiter.admit(key("known 1"), at: .zero) == .pass(suppressed: 0), "a known kind keeps its place")
        #expect(limiter.endTick(at: .seconds(10)) == [.init(key: nil, suppressed: 48)])
        #expect(limiter.admit(key("further 1"), at: .seconds(10)) == .pass(suppressed: 0))
    }

    @Test func endsTheTickWhenTheClockIsSetBack() {
        var limiter = LogLimiter(initial: 1)
        for _ in 1...5 { _ = limiter.admit(key("full"), at: .seconds(1_000_000)) }
        #expect(limiter.endTick(at: .seconds(5)) == [.init(key: key("full"), suppressed: 4)])
    }

    @Test func tellsWhatIsHeldBackAtTheEndOfTheProcess() {
        var limiter = LogLimiter(initial: 1)
        for _ in 1...5 { _ = limiter.admit(key("full"), at: .zero) }
        #expect(limiter.endTick() == [.init(key: key("full"), suppressed: 4)])
        #expect(limiter.endTick().isEmpty)
    }

    /// Whatever comes in whatever order: each line is either written or told of exactly once, and in a tick no more
    /// passes than the rule allows for the kinds that are told apart and the one place for all others.
    @Test(arguments: 0..<20) func accountsForEveryLine(_ seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let initial = Int.random(in: 1...12, using: &random)
        let thereafter = Int.random(in: 1...120, using: &random)
        let maxKeys = Int.random(in: 1...20, using: &random)
        var limiter = LogLimiter(tick: .seconds(10), initial: initial, thereafter: thereafter, maxKeys: maxKeys)
        var now = Duration.zero
        var tickEnd = Duration.zero
        var (seenInTick, passedInTick) = (0, 0)
        var (passed, told) = (0, 0)
        let total = 20_000
        for _ in 0..<total {
            now += .milliseconds(Int.random(in: 0...4, using: &random))
            if now >= tickEnd { (tickEnd, seenInTick, passedInTick) = (now + .seconds(10), 0, 0) }
            told += limiter.endTick(at: now).reduce(0) { $0 + $1.suppressed }
            let kind = key("message \(Int.random(in: 0..<30, using: &random))")
            seenInTick += 1
            guard case .pass(let suppressed) = limiter.admit(kind, at: now) else { continue }
            passed += 1
            passedInTick += 1
            told += suppressed
            #expect(passedInTick <= (maxKeys + 1) * initial + seenInTick / thereafter, "seed \(seed)")
        }
        told += limiter.endTick().reduce(0) { $0 + $1.suppressed }
        #expect(passed + told == total, "seed \(seed)")
        #expect(told > 0, "seed \(seed)")
    }
}
