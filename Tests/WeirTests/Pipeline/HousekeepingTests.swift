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
