import Synchronization
import Testing

@testable import Weir

@Suite struct HousekeepingTests {
    @Test func worksAfterAWhileThenFromTimeToTimeAndSoonerAfterAFailure() async throws {
        let times = Mutex<[UInt64]>([])
        let fails = Flag()
        let housekeeping = Housekeeping(after: .seconds(5), every: .seconds(60), retryInterval: .seconds(10)) { now in
            times.withLock { $0.append(now.nanoseconds / 1_000_000_000) }
            return !fails.isSet
        }
        func tick(_ second: UInt64, works: Int) async throws {
            housekeeping.tick(at: Timestamp(nanoseconds: second * 1_000_000_000))
            try await eventually("it is due") { times.withLock { $0.count } == works }
        }
        try await tick(100, works: 0)
        try await tick(104, works: 0)
        try await tick(105, works: 1)
        fails.set(true)
        // What was begun has to end before it is due again.
        try await eventually("it is due") {
            housekeeping.tick(at: Timestamp(nanoseconds: 165_000_000_000))
            return times.withLock { $0.count } == 2
        }
        try await eventually("it is due") {
            housekeeping.tick(at: Timestamp(nanoseconds: 175_000_000_000))
            return times.withLock { $0.count } == 3
        }
        await housekeeping.finish()
        housekeeping.tick(at: Timestamp(nanoseconds: 1_000_000_000_000))
        #expect(times.withLock { $0 } == [105, 165, 175])
    }

    @Test func aClockThatWasAheadDelaysItNoLonger() async throws {
        let count = Mutex(0)
        let housekeeping = Housekeeping(after: .seconds(5), every: .seconds(60), retryInterval: .seconds(10)) { _ in
            count.withLock { $0 += 1 }
            return true
        }
        func works(_ wanted: Int, at second: UInt64) async throws {
            try await eventually("it is due") {
                housekeeping.tick(at: Timestamp(nanoseconds: second * 1_000_000_000))
                return count.withLock { $0 } == wanted
            }
        }
        housekeeping.tick(at: Timestamp(nanoseconds: 100_000_000_000))
        try await works(1, at: 2_000_000)
        // What was begun has to end before it is due again.
        try await works(2, at: 2_000_060)
        try await eventually("it knows the time") {
            housekeeping.tick(at: Timestamp(nanoseconds: 200_000_000_000))
            housekeeping.tick(at: Timestamp(nanoseconds: 205_000_000_000))
            return count.withLock { $0 } == 3
        }
        await housekeeping.finish()
    }

    @Test func theEndInterruptsIt() async throws {
        let isUnderWay = Flag()
        let housekeeping = Housekeeping(after: .zero, every: .seconds(60), retryInterval: .seconds(10)) { _ in
            isUnderWay.set(true)
            while !Task.isCancelled { await Task.yield() }
            return false
        }
        housekeeping.tick(at: Timestamp(nanoseconds: 0))
        try await eventually("it begins") { isUnderWay.isSet }
        await housekeeping.finish()
    }
}
