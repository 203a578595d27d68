import Testing

@testable import Weir

struct PostgresLedgerTests {
    private static func range(_ first: UInt64, _ last: UInt64, _ spans: Int, _ rejected: Int = 0)
        -> PostgresLedger.Range
    {
        PostgresLedger.Range(first: first, last: last, spans: spans, rejected: rejected)
    }

    @Test func aRecordThatFollowsMakesItsRangeLonger() {
        var ledger = PostgresLedger([Self.range(1, 4, 10), Self.range(9, 9, 1)])
        ledger.add(5, spans: 2, rejected: 1)
        ledger.add(6, spans: 3, rejected: 0)
        #expect(ledger.ranges == [Self.range(1, 6, 15, 1), Self.range(9, 9, 1)])
        #expect(ledger.changed == [1])
        #expect((1...10).map { ledger.has($0) } == [true, true, true, true, true, true, false, false, true, false])
    }

    @Test func aRecordWithoutAPredecessorBeginsARange() {
        var ledger = PostgresLedger([Self.range(9, 9, 1)])
        ledger.add(7, spans: 2, rejected: 0)
        ledger.add(8, spans: 2, rejected: 0)
        ledger.add(11, spans: 2, rejected: 0)
        #expect(ledger.ranges == [Self.range(7, 8, 4), Self.range(9, 9, 1), Self.range(11, 11, 2)])
        #expect(ledger.changed == [7, 11])
    }
}
