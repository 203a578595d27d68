import Testing

@testable import Weir

/// What rows of a ledger, of one database or of several files, say of a journal.
@Suite struct StoredJournalTests {
    private func run(
        _ sequences: ClosedRange<UInt64>, of journal: UInt64 = 7, at second: UInt64 = 0
    ) -> StoredJournal.Run {
        StoredJournal.Run(
            journal: JournalID(value: journal), first: sequences.lowerBound, last: sequences.upperBound, spans: 10,
            rejected: 1, updatedAt: Timestamp(nanoseconds: second))
    }

    private func floor(_ sequences: ClosedRange<UInt64>...) -> UInt64? {
        StoredJournal.journals(of: sequences.map { run($0) }).first?.floor
    }

    @Test func theFloorIsWhereTheFirstGapBegins() {
        #expect(floor(5...9) == 9)
        #expect(floor(1...3, 5...9) == 3)
        #expect(floor(5...9, 1...4) == 9)
        #expect(floor(1...3, 4...4, 6...8, 9...9) == 4)
        #expect(floor(0...UInt64.max) == .max)
    }

    @Test func daysThatHavePartsOfTheSameRecordsHaveNoGap() {
        #expect(floor(1...6, 2...3, 7...8) == 8)
        #expect(floor(1...9, 2...3, 11...12) == 9)
    }

    @Test func eachJournalIsSummedForItself() {
        let journals = StoredJournal.journals(of: [run(1...3, of: 9, at: 5), run(2...8), run(5...5, of: 9, at: 4)])
        #expect(journals.map(\.id.value) == [7, 9])
        #expect(journals.map(\.floor) == [8, 3] && journals.map(\.lastSequence) == [8, 5])
        #expect(journals.map(\.spans) == [10, 20] && journals.map(\.rejected) == [1, 2])
        #expect(journals.map(\.updatedAt.nanoseconds) == [0, 5])
        #expect(StoredJournal.journals(of: []) == [])
    }
}
