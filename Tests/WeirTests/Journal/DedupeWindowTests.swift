import Testing

@testable import Weir

@Suite struct DedupeWindowTests {
    private let key = RequestKey(high: 1, low: 2)

    private let start = ContinuousClock.now

    private func time(_ seconds: UInt64) -> DedupeWindow.Instant { start + .seconds(Int(seconds)) }
    private func key(_ number: UInt64) -> RequestKey { RequestKey(high: 9, low: number) }
    private func make(seconds: Int = 10, limit: Int = 100) -> DedupeWindow {
        DedupeWindow(length: .seconds(seconds), limit: limit)
    }

    @Test func aRequestIsKnownUntilTheWindowIsOver() {
        var window = make()
        #expect(window.find(key, at: time(100)) == .unknown)
        window.begin(key)
        #expect(window.find(key, at: time(100)) == .underWay)
        window.finish(key, at: time(100), answer: "utf8=3")
        #expect(window.find(key, at: time(100)) == .answered(Rejections(text: "utf8=3")))
        #expect(window.find(key, at: time(110)) == .answered(Rejections(text: "utf8=3")))
        #expect(window.count == 1)
        #expect(window.find(key, at: time(110) + .nanoseconds(1)) == .unknown)
        #expect(window.count == 0)
        #expect(window.evictions == 0)
    }

    /// As they are found after a clock was set back between them.
    @Test func whatIsNotInTheOrderOfItsTimesIsNotForgottenForIt() {
        var window = make()
        window.finish(key, at: time(100), answer: "")
        #expect(window.find(key, at: time(1)) == .answered(Rejections()))
        #expect(window.find(key, at: time(0)) == .answered(Rejections()))
        window.finish(key(2), at: time(50), answer: "")
        // What came in later stands behind what came in first, and is over no sooner for it.
        #expect(window.find(key(2), at: time(61)) == .unknown)
        #expect(window.find(key, at: time(61)) == .answered(Rejections()))
    }

    @Test func anErrorMakesTheNextOneTheFirst() {
        var window = make()
        window.begin(key)
        window.fail(key)
        #expect(window.find(key, at: time(1)) == .unknown)
        window.finish(key, at: time(1), answer: "")
        window.fail(key)
        #expect(window.find(key, at: time(1)) == .answered(Rejections()))
    }

    @Test func whatComesAgainAfterTheWindowIsRememberedAnew() {
        var window = make()
        window.finish(key, at: time(100), answer: "utf8=1")
        window.finish(key(2), at: time(101), answer: "")
        #expect(window.find(key, at: time(111)) == .unknown)
        window.begin(key)
        window.finish(key, at: time(111), answer: "utf8=2")
        #expect(window.find(key, at: time(121)) == .answered(Rejections(text: "utf8=2")))
        #expect(window.count == 1)
    }

    @Test func theOldestIsForgottenWhereThereAreTooMany() {
        var window = make(limit: 3)
        for number in 0..<5 as Range<UInt64> { window.finish(key(number), at: time(number), answer: "") }
        #expect(window.count == 3)
        #expect(window.evictions == 2)
        for number in 0..<5 as Range<UInt64> {
            #expect((window.find(key(number), at: time(5)) == .unknown) == (number < 2))
        }
    }

    @Test func whatIsOverAnywayIsNotForgottenEarly() {
        var window = make(limit: 3)
        for number in 0..<100 as Range<UInt64> { window.finish(key(number), at: time(4 * number), answer: "") }
        #expect(window.count == 3)
        #expect(window.evictions == 0)
    }

    @Test func oneThatIsOffKnowsNothing() {
        var window = make(seconds: 0)
        window.begin(key)
        window.finish(key, at: time(1), answer: "")
        #expect(window.find(key, at: time(1)) == .unknown)
        #expect(window.count == 0)
    }

    @Test func aRequestWithoutAKeyIsNotRemembered() {
        var window = make()
        window.finish(.none, at: time(1), answer: "")
        #expect(window.find(.none, at: time(1)) == .unknown)
    }

    @Test func whatIsRejectedIsReadAsItWasWritten() {
        var rejections = Rejections()
        #expect(Rejections(text: rejections.text) == rejections)
        for (count, defect) in SpanDefect.allCases.enumerated() {
            rejections.add(defect, spans: count + 1)
            #expect(Rejections(text: rejections.text) == rejections)
        }
        #expect(Rejections(text: "unheard_of=3,utf8=2,,=,utf8").text == "utf8=2")
    }
}
