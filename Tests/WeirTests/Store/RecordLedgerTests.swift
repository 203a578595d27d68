import Testing

@testable import Weir

@Suite struct RecordLedgerTests {
    private typealias Range = RecordLedger.Range

    private func ledger(_ ranges: ClosedRange<UInt64>...) -> RecordLedger {
        RecordLedger(
            JournalID(value: 7), ranges.map { Range(first: $0.lowerBound, last: $0.upperBound, spans: 10, rejected: 1) }
        )
    }

    private func text(_ ledger: RecordLedger) -> [String] {
        ledger.ranges.map { "\($0.first)-\($0.last) \($0.spans)/\($0.rejected)" }
    }

    @Test func knowsWhatItHas() {
        let ledger = ledger(3...5, 9...9)
        #expect((1...10).filter { ledger.has($0) } == [3, 4, 5, 9])
    }

    @Test func goesOnWithARangeThatEndsRightBefore() {
        var ledger = ledger(3...5)
        ledger.add(6, since: 6, spans: 4, rejected: 2)
        #expect(text(ledger) == ["3-6 14/3"])
    }

    @Test func goesOnOverRecordsThatWereExportedAndHaveNoSpansOfTheDay() {
        var ledger = ledger(3...5)
        ledger.add(9, since: 6, spans: 4, rejected: 0)
        #expect(text(ledger) == ["3-9 14/1"])
    }

    @Test func beginsARangeWhereARecordBeforeMayBeMissing() {
        var ledger = ledger(3...5)
        ledger.add(9, since: 7, spans: 4, rejected: 0)
        ledger.add(1, since: 1, spans: 1, rejected: 0)
        #expect(text(ledger) == ["1-1 1/0", "3-5 10/1", "9-9 4/0"])
        #expect(!ledger.has(6))
    }

    @Test func knowsWhatHasToBeWritten() {
        var ledger = ledger(3...5, 9...9)
        ledger.add(7, since: 7, spans: 2, rejected: 0)
        ledger.add(8, since: 8, spans: 2, rejected: 0)
        ledger.add(10, since: 10, spans: 2, rejected: 1)
        #expect(text(ledger) == ["3-5 10/1", "7-8 4/0", "9-10 12/2"])
        #expect(ledger.changes.map(\.first) == [7, 9])
    }

    @Test func aRecordThatARangeGoesOverDoesNotEndIt() {
        var ledger = ledger(2...2)
        ledger.add(6, since: 1, spans: 4, rejected: 0)
        ledger.add(3, since: 1, spans: 1, rejected: 0)
        #expect(text(ledger) == ["2-6 15/1"])
        #expect(ledger.has(6))
    }

    @Test func fillsAGapWithoutTakingWhatIsBehindIt() {
        var ledger = ledger(3...5, 8...9)
        ledger.add(6, since: 6, spans: 1, rejected: 0)
        #expect(text(ledger) == ["3-6 11/1", "8-9 10/1"])
        #expect(!ledger.has(7))
    }
}
