import Foundation
import Testing

@testable import Weir

@Suite(.hangLimit) struct WakeupTests {
    @Test func keepsNewsForWhoeverSleepsNext() async {
        let wakeup = Wakeup()
        wakeup.wake()
        await wakeup.wait(for: nil)
    }

    @Test func takesSeveralNewsForOne() async {
        let wakeup = Wakeup()
        for _ in 0..<3 { wakeup.wake() }
        await wakeup.wait(for: nil)
        let slept = await ContinuousClock().measure { await wakeup.wait(for: .milliseconds(20)) }
        #expect(slept >= .milliseconds(20))
    }

    @Test func wakesAfterTheInterval() async {
        let wakeup = Wakeup()
        for interval in [Duration.seconds(-1), .zero, .milliseconds(5)] {
            let slept = await ContinuousClock().measure { await wakeup.wait(for: interval) }
            #expect(slept >= interval)
        }
    }

    @Test func wakesWhenItsTaskIsCancelled() async {
        for isAsleep in [false, true] {
            let wakeup = Wakeup()
            let started = Counter()
            let sleeper = Task {
                started.add()
                await wakeup.wait(for: nil)
            }
            while isAsleep, started.value == 0 { await Task.yield() }
            sleeper.cancel()
            await sleeper.value
        }
    }

    /// An alarm that was set for one sleep, and is cancelled when news ends it, is no news for the next.
    @Test func sleepsOnWhenAnEarlierAlarmGoesOff() async {
        let wakeup = Wakeup()
        var shortest = Duration.seconds(60)
        for _ in 0..<50 {
            wakeup.wake()
            await wakeup.wait(for: .seconds(60))
            for _ in 0..<20 { await Task.yield() }
            shortest = min(shortest, await ContinuousClock().measure { await wakeup.wait(for: .milliseconds(4)) })
        }
        #expect(shortest >= .milliseconds(4))
    }

    @Test func aShortSleepIsNotHeldUpByTheAlarmOfALongOne() async {
        let wakeup = Wakeup()
        await interruptSleep(of: .seconds(3_600), on: wakeup)

        let took = await ContinuousClock().measure { await wakeup.wait(for: .milliseconds(20)) }

        #expect(took >= .milliseconds(20))
        await interruptSleep(of: .seconds(3_600), on: wakeup)
    }

    /// Lets a sleep begin and cuts it short.
    private func interruptSleep(of interval: Duration, on wakeup: Wakeup) async {
        let sleeper = Task { await wakeup.wait(for: interval) }
        for _ in 0..<100 { await Task.yield() }
        wakeup.wake()
        await sleeper.value
        // Where the machine was so slow that the interval ended first, the news is still there: this takes it away.
        wakeup.wake()
        await wakeup.wait(for: nil)
    }

    @Test func losesNoNewsOfManyThreads() async {
        let wakeup = Wakeup()
        let sent = Counter()
        let (threads, each) = (4, 5_000)
        for _ in 0..<threads {
            Thread.detachNewThread {
                for _ in 0..<each {
                    sent.add()
                    wakeup.wake()
                }
            }
        }
        // One piece of news that is lost leaves this asleep for good.
        while sent.value < threads * each { await wakeup.wait(for: nil) }
    }

    @Test func handsABallToAndFro() async {
        let (here, there) = (Wakeup(), Wakeup())
        let rounds = 5_000
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for round in 0..<rounds {
                    there.wake()
                    await here.wait(for: round.isMultiple(of: 3) ? .seconds(60) : nil)
                }
            }
            group.addTask {
                for _ in 0..<rounds {
                    await there.wait(for: nil)
                    here.wake()
                }
            }
        }
    }
}
