import Testing

@testable import Weir

@Suite(.timeLimit(.minutes(1)))
struct WakeupTests {
    private let wakeup = Wakeup()
    private let clock = ContinuousClock()

    /// Lets a sleep begin and cuts it short.
    private func interruptSleep(of interval: Duration) async {
        let sleeper = Task { await wakeup.wait(for: interval) }
        for _ in 0..<100 { await Task.yield() }
        wakeup.wake()
        await sleeper.value
    }

    @Test func newsThatComesBeforeTheSleepIsKeptForIt() async {
        wakeup.wake()
        await wakeup.wait(for: nil)
    }

    @Test func newsEndsASleep() async {
        await interruptSleep(of: .seconds(3_600))
    }

    @Test func aSleepWithoutNewsEndsAfterItsInterval() async {
        let took = await clock.measure { await wakeup.wait(for: .milliseconds(20)) }

        #expect(took >= .milliseconds(20))
    }

    @Test func theAlarmOfASleepThatNewsEndedDoesNotEndTheNextOne() async {
        await interruptSleep(of: .seconds(1))

        let took = await clock.measure { await wakeup.wait(for: .milliseconds(1_200)) }

        #expect(took >= .milliseconds(1_200))
    }

    @Test func aShortSleepIsNotHeldUpByTheAlarmOfALongOne() async {
        await interruptSleep(of: .seconds(3_600))

        let took = await clock.measure { await wakeup.wait(for: .milliseconds(20)) }

        #expect(took >= .milliseconds(20))
        await interruptSleep(of: .seconds(3_600))
    }

    @Test func cancellationEndsASleep() async {
        let sleeper = Task { await wakeup.wait(for: nil) }

        sleeper.cancel()

        await sleeper.value
    }
}
