import Testing

@testable import Weir

@Suite struct BurstsTests {
    private let id = ComponentID(type: "sampling")
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    private func after(_ seconds: UInt64) -> Timestamp {
        Timestamp(nanoseconds: now.nanoseconds + seconds * 1_000_000_000)
    }

    private func bursts(_ log: LogCapture = LogCapture()) -> Bursts {
        let bursts = Bursts(log.logger)
        bursts.register(id, rules: ["ui", "rest"])
        return bursts
    }

    @Test func keepsWhatWouldNotBeKeptUntilTheTimeIsOver() throws {
        let log = LogCapture()
        let bursts = self.bursts(log)
        #expect(bursts.lease(of: id, bytes: 100, at: now) == nil)
        let begun = try bursts.begin(Bursts.Request(duration: .seconds(10), reason: "incident 7"), at: now)
        #expect(begun.map(\.processor) == [id] && begun.first?.burst?.id == "2026-02-03T04:00:00Z")
        var lease = try #require(bursts.lease(of: id, bytes: 100, at: after(9)))
        let isTaken = lease.take(40, for: "ui")
        #expect(isTaken && lease.isFor("rest"))
        bursts.end(lease)
        #expect(bursts.status(at: after(9)).first?.burst?.spent == 40)
        #expect(bursts.lease(of: id, bytes: 100, at: after(10)) == nil)
        #expect(bursts.status(at: after(10)).first?.burst == nil)
        #expect(log.lines.contains { $0.contains("burst began") && $0.contains("incident 7") })
        #expect(log.lines.contains { $0.contains("burst ended") && $0.contains("time") && $0.contains("40") })
    }

    @Test func endsInTimeThoughTheClockIsSetBack() throws {
        let (start, isOver) = (ContinuousClock.now, Flag())
        let bursts = Bursts(LogCapture().logger) { isOver.isSet ? start + .seconds(10) : start }
        bursts.register(id, rules: ["ui"])
        _ = try bursts.begin(Bursts.Request(duration: .seconds(10)), at: now)
        let before = Timestamp(nanoseconds: now.nanoseconds - 3_600_000_000_000)
        let burst = try #require(bursts.status(at: before).first?.burst)
        #expect(burst.left(at: before, start) == 10)
        isOver.set(true)
        #expect(bursts.lease(of: id, bytes: 1, at: before) == nil)
        #expect(bursts.status(at: before).first?.burst == nil)
    }

    @Test func endsWhenTheBudgetIsSpent() throws {
        let bursts = self.bursts()
        _ = try bursts.begin(Bursts.Request(budget: 100), at: now)
        var first = try #require(bursts.lease(of: id, bytes: 80, at: now))
        var second = try #require(bursts.lease(of: id, bytes: 80, at: now))
        #expect(bursts.lease(of: id, bytes: 80, at: now) == nil)
        let taken = [first.take(50, for: "ui"), second.take(20, for: "ui"), second.take(1, for: "ui")]
        #expect(taken == [true, true, false] && !second.isFor("ui"))
        // What the first did not need is there again.
        bursts.end(second)
        #expect(bursts.status(at: now).first?.burst != nil)
        bursts.end(first)
        var third = try #require(bursts.lease(of: id, bytes: 80, at: now))
        let last = [third.take(29, for: "ui"), third.take(2, for: "ui")]
        #expect(last == [true, false])
        bursts.end(third)
        #expect(bursts.status(at: now).first?.burst == nil)
    }

    @Test func endsWithItsProcessorWhichAReloadTookAway() throws {
        let log = LogCapture()
        let bursts = self.bursts(log)
        let other = ComponentID(type: "tail_sampling")
        bursts.register(other, rules: ["errors"])
        _ = try bursts.begin(Bursts.Request(), at: now)
        bursts.keep([id])
        #expect(bursts.status(at: now).map(\.processor) == [id])
        #expect(bursts.status(at: now).first?.burst != nil)
        #expect(bursts.lease(of: other, bytes: 1, at: now) == nil)
        #expect(log.lines.contains { $0.contains("burst ended") && $0.contains("gone") })
        #expect(throws: Bursts.Problem.unknownProcessor("tail_sampling", known: ["sampling"])) {
            try bursts.begin(Bursts.Request(processor: "tail_sampling"), at: now)
        }
        bursts.keep([])
        #expect(throws: Bursts.Problem.noProcessor) { try bursts.begin(Bursts.Request(), at: now) }
    }

    @Test func isForTheRulesThatItNames() throws {
        let bursts = self.bursts()
        _ = try bursts.begin(Bursts.Request(rules: ["ui"]), at: now)
        var lease = try #require(bursts.lease(of: id, bytes: 10, at: now))
        let taken = [lease.take(1, for: "rest"), lease.take(1, for: "ui")]
        #expect(taken == [false, true])
        bursts.end(lease)
    }

    @Test func canBeStoppedAndBeginAnew() throws {
        let bursts = self.bursts()
        _ = try bursts.begin(Bursts.Request(), at: now)
        let old = try #require(bursts.lease(of: id, bytes: 10, at: now))
        #expect(bursts.stop("sampling/other") == 0 && bursts.stop(nil) == 1 && bursts.stop(nil) == 0)
        _ = try bursts.begin(Bursts.Request(budget: 5), at: after(1))
        // A batch that began before does not spend what is not its own.
        bursts.end(old)
        #expect(bursts.status(at: after(1)).first?.burst?.spent == 0)
    }

    @Test func saysWhatItDoesNotKnow() throws {
        #expect(throws: Bursts.Problem.noProcessor) { try Bursts().begin(Bursts.Request(), at: now) }
        let bursts = self.bursts()
        #expect(throws: Bursts.Problem.unknownProcessor("x", known: ["sampling"])) {
            try bursts.begin(Bursts.Request(processor: "x"), at: now)
        }
        #expect(throws: Bursts.Problem.unknownRule("x", known: ["rest", "ui"])) {
            try bursts.begin(Bursts.Request(rules: ["ui", "x"]), at: now)
        }
    }
}
