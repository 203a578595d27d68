import Testing

@testable import Weir

@Suite struct KeepDecisionsTests {
    private func kept(_ number: UInt64) -> KeptTrace {
        KeptTrace(trace: TenantTrace("t", TraceID(high: 1, low: number)), threshold: .always, rule: "errors")
    }

    @Test func everybodyHearsOfTheOthersOnce() {
        let board = KeepDecisionBoard()
        let (first, second, third) = (board.seat(), board.seat(), board.seat())
        first.announce([kept(1), kept(2)])
        second.announce([kept(3)])
        #expect(first.heard() == [kept(3)])
        #expect(second.heard() == [kept(1), kept(2)])
        #expect(third.heard() == [kept(1), kept(2), kept(3)])
        #expect(third.heard().isEmpty)
        #expect(board.seat().heard().isEmpty)
    }

    @Test func whoDoesNotAskHearsOfTheNewest() {
        let board = KeepDecisionBoard()
        let (first, second) = (board.seat(), board.seat())
        let limit = UInt64(KeepDecisionBoard.maximumUnheard)
        first.announce((1...limit + 10).map(kept))
        let heard = second.heard()
        #expect(heard.count == Int(limit))
        #expect(heard.first == kept(11))
    }

    private func window(_ policies: [TailPolicies.Policy]) -> TraceWindow {
        TraceWindow(.init(), TailPolicies(policies), keptDecisions: 100, droppedDecisions: 100)
    }

    private func add(
        _ number: UInt64, tests: UInt64 = 0, record: UInt64, to window: inout TraceWindow, at now: Timestamp,
        of tenant: String = "t"
    ) {
        window.begin(record: record, of: tenant, at: now)
        let slot = window.slot(
            of: TraceID(high: 1, low: number), SamplingRandomness(number), firstSeen: now, at: now)
        window.add(TraceSummary.Span(tests: tests, isRoot: true), to: slot, at: now)
    }

    @Test func onlyWhatIsInATraceIsNews() {
        var window = window([
            .init(name: "errors", rule: .test(0)),
            .init(name: "half", rule: .probability(SamplingThreshold(probability: 0.5))),
        ])
        let now = Timestamp(nanoseconds: 1_000)
        // Chance keeps the second everywhere, and the third nowhere.
        add(1, tests: 1, record: 1, to: &window, at: now)
        add(1 << 55, record: 2, to: &window, at: now)
        add(2, record: 3, to: &window, at: now)
        window.decide(at: Timestamp(nanoseconds: 60_000_000_000))
        let decided = window.takeDecided()
        #expect(decided.map(\.decision.isKept) == [true, true, false])
        #expect(decided.map { window.isNews($0) } == [true, false, false])
        _ = window.hear(kept(7), at: now)
        add(7, record: 4, to: &window, at: now)
        let made = window.takeDecided()
        #expect(made.isEmpty)
        #expect(window.decision(on: kept(7).trace)?.isKept == true)
    }

    @Test func anOpenTraceIsDecidedByWhatIsHeardOfItAndThatIsWrittenDown() throws {
        var window = window([.init(name: "errors", rule: .test(0))])
        let now = Timestamp(nanoseconds: 1_000)
        add(1, record: 1, to: &window, at: now)
        let isMissed = window.hear(kept(1), at: now)
        #expect(!isMissed)
        let all = window.takeDecided()
        let decided = try #require(all.first)
        #expect(decided.cause == .heard && decided.decision.isKept && !window.isNews(decided))
        #expect(window.openTraces == 0)
        let noted = window.newDecisions(in: window.records[0])
        #expect(noted.map(\.isKept) == [true] && noted.map(\.rule) == ["errors"])
        // A second time says nothing new.
        let isMissedAgain = window.hear(kept(1), at: now)
        #expect(!isMissedAgain)
        let made = window.takeDecided()
        #expect(made.isEmpty)
    }

    @Test func whatIsHeardOfATenantsTraceIsForThatTenant() {
        var window = window([.init(name: "errors", rule: .test(0))])
        let now = Timestamp(nanoseconds: 1_000)
        add(1, record: 1, to: &window, at: now, of: "other")
        let isMissed = window.hear(kept(1), at: now)
        #expect(!isMissed && window.openTraces == 1)
        add(1, record: 2, to: &window, at: now)
        #expect(window.openTraces == 1)
        window.decide(at: Timestamp(nanoseconds: 60_000_000_000))
        let made = window.takeDecided()
        #expect(made.map(\.decision.isKept) == [false])
        #expect(window.decision(on: kept(1).trace)?.isKept == true)
    }

    @Test func aTraceThatWaitsForALimiterIsNotDecidedTwice() {
        var window = TraceWindow(
            .init(),
            TailPolicies(
                [.init(name: "few", rule: .limiter(0))], limits: [.init(unit: .spans, rate: 1, burst: 1)]),
            keptDecisions: 100, droppedDecisions: 100)
        let now = Timestamp(nanoseconds: 1_000)
        add(1, record: 1, to: &window, at: now)
        add(2, record: 2, to: &window, at: now)
        window.decide(at: Timestamp(nanoseconds: 3_000_000_000))
        #expect(window.pending.count == 2)
        let isMissed = window.hear(kept(1), at: Timestamp(nanoseconds: 3_500_000_000))
        #expect(!isMissed)
        window.decide(at: Timestamp(nanoseconds: 5_000_000_000))
        let made = window.takeDecided()
        #expect(made.map(\.trace.id.low) == [1, 2])
        #expect(window.openTraces == 0)
    }

    @Test func whatWasLeftOutIsKeptFromThenOn() {
        var window = window([.init(name: "errors", rule: .test(0))])
        let now = Timestamp(nanoseconds: 1_000)
        add(1, record: 1, to: &window, at: now)
        window.decide(at: Timestamp(nanoseconds: 60_000_000_000))
        let made = window.takeDecided()
        #expect(made.map(\.decision.isKept) == [false])
        window.removeFirst()
        let isMissed = window.hear(kept(1), at: now)
        #expect(isMissed)
        add(1, record: 2, to: &window, at: now)
        #expect(window.decision(on: kept(1).trace)?.isKept == true)
        #expect(window.newDecisions(in: window.records[0]).map(\.isKept) == [true])
    }
}
