import Testing

@testable import Weir

@Suite struct CursorTests {
    @Test func whatIsDoneInOrderMovesIt() {
        var cursor = Cursor(next: 5)
        cursor.finish(5...7)
        cursor.finish(8...8)
        #expect(cursor == Cursor(next: 9))
        cursor.finish(1...3)
        cursor.finish(7...8)
        #expect(cursor == Cursor(next: 9))
        cursor.skip(to: 3)
        #expect(cursor == Cursor(next: 9))
        cursor.skip(to: 20)
        #expect(cursor == Cursor(next: 20))
    }

    @Test func whatIsDoneBeforeItsTurnIsKept() {
        var cursor = Cursor(next: 1)
        cursor.finish(10...12)
        cursor.finish(5...6)
        cursor.finish(20...20)
        #expect(cursor == Cursor(next: 1, done: [5...6, 10...12, 20...20]))
        #expect(cursor.missing(in: 4...11) == [4...4, 7...9])
        #expect(cursor.missing(in: 10...12) == [])
        #expect(cursor.missing(in: 30...31) == [30...31])
        cursor.finish(7...9)
        #expect(cursor == Cursor(next: 1, done: [5...12, 20...20]))
        cursor.skip(to: 6)
        #expect(cursor == Cursor(next: 13, done: [20...20]))
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func itIsAsASetOfSequences(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var cursor = Cursor(next: 1)
        var done: Set<UInt64> = []
        for _ in 0..<100 {
            let first = UInt64(random.below(100) + 1)
            let range = first...first + UInt64(random.below(6))
            if random.chance(90) {
                cursor.finish(range)
                done.formUnion(range)
            } else {
                cursor.skip(to: first)
                done.formUnion(1..<first)
            }
            for sequence in 1...110 as ClosedRange<UInt64> {
                #expect(cursor.isDone(sequence) == done.contains(sequence), "seed \(seed)")
            }
            #expect(!done.contains(cursor.next), "seed \(seed)")
            for (one, other) in zip(cursor.done, cursor.done.dropFirst()) {
                #expect(one.upperBound + 1 < other.lowerBound, "seed \(seed)")
            }
            let missing = cursor.missing(in: range).flatMap { Array($0) }
            #expect(missing == range.filter { !done.contains($0) }, "seed \(seed)")
        }
    }
}
