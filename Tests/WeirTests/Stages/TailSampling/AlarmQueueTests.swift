import Testing

@testable import Weir

struct AlarmQueueTests {
    /// Waits as they are set, some that are shorter than any before, and the same time again and again.
    @Test(arguments: 0..<20 as Range<UInt64>) func ringsInOrderAndFirstSetFirst(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = AlarmQueue()
        var expected: [(time: UInt64, slot: Int32)] = []
        var now: UInt64 = 1_000
        for slot in 0..<2_000 as Range<Int32> {
            now += UInt64(random.below(3))
            let wait = random.chance(5) ? random.below(1_000) : random.pick([30, 200, 500])
            queue.add(
                AlarmQueue.Alarm(time: Timestamp(nanoseconds: now + UInt64(wait)), slot: slot, generation: 0))
            expected.append((now + UInt64(wait), slot))
            guard random.chance(10) else { continue }
            expected.sort { ($0.time, $0.slot) < ($1.time, $1.slot) }
            for _ in 0..<random.below(20) where !expected.isEmpty {
                let next = expected.removeFirst()
                #expect(queue.first?.slot == next.slot, "seed \(seed)")
                #expect(queue.removeFirst()?.slot == next.slot, "seed \(seed)")
            }
        }
        expected.sort { ($0.time, $0.slot) < ($1.time, $1.slot) }
        #expect(queue.count == expected.count)
        for next in expected { #expect(queue.removeFirst()?.slot == next.slot, "seed \(seed)") }
        #expect(queue.first == nil && queue.removeFirst() == nil)
    }
}
