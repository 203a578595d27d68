import Testing

@testable import Weir

@Suite struct PieceTests {
    @Test func halvesRecordsAndThenSpans() throws {
        let piece = Piece([record(1, spans: 2), record(2, spans: 3), record(3, spans: 1)])
        #expect(piece.spanCount == 6)
        let (first, second) = try #require(piece.halves(splittingRecords: true))
        #expect(first.records.map(\.sequence) == [1])
        #expect(second.records.map(\.sequence) == [2, 3])
        let (left, right) = try #require(Piece([record(2, spans: 3)]).halves(splittingRecords: true))
        #expect(left.spans == 0..<1)
        #expect(right.spans == 1..<3)
        #expect((left.endsRecord, right.endsRecord) == (false, true))
        let smaller = try #require(right.halves(splittingRecords: true))
        #expect((smaller.first.spans, smaller.second.spans) == (1..<2, 2..<3))
    }

    @Test func doesNotHalveASpanOrARecordThatMustStayWhole() {
        #expect(Piece([record(1, spans: 1)]).halves(splittingRecords: true) == nil)
        #expect(Piece([record(1, spans: 3)], spans: 2..<3).halves(splittingRecords: true) == nil)
        #expect(Piece([record(1, spans: 3)]).halves(splittingRecords: false) == nil)
        #expect(Piece([record(1, spans: 3), record(2, spans: 3)]).halves(splittingRecords: false) != nil)
    }

    @Test func cutsARecordToItsSpans() throws {
        let whole = record(7, spans: 5)
        let cut = try #require(Piece([whole], spans: 1..<3).cut())
        #expect(cut.map(\.sequence) == [7])
        #expect(cut[0].tenant == whole.tenant)
        #expect(cut[0].receivedAt == whole.receivedAt)
        #expect(cut[0].spanCount == 2)
        #expect(FrozenBatch(records: cut).spanNames == ["span 2", "span 3"])
    }

    @Test func cutsToAllSpansByTakingTheRecordItself() throws {
        let whole = record(7, spans: 5)
        #expect(try #require(Piece([whole]).cut())[0].payload === whole.payload)
        #expect(try #require(Piece([whole], spans: 0..<5).cut())[0].payload === whole.payload)
    }

    @Test func whatARecordSaysBesideItsSpansGoesWithTheFirst() throws {
        var whole = record(7, spans: 4)
        whole.section = .sample
        let (first, second) = try #require(Piece([whole]).halves(splittingRecords: true))
        #expect(try #require(first.cut())[0].section == .sample)
        #expect(try #require(second.cut())[0].section == RecordSection())
    }

    @Test func cannotCutWhatDoesNotHoldTheSpansThatItSays() {
        func cut(_ payload: Payload) -> [JournalRecord]? {
            Piece(
                [
                    JournalRecord(
                        sequence: 1, tenant: "a", receivedAt: Timestamp(nanoseconds: 0), spanCount: 4,
                        payload: payload)
                ], spans: 0..<2
            ).cut()
        }
        #expect(cut(.zeros(10)) == nil)
        #expect(cut(SampleBatch.payload([(1, 0), (2, 0)])) == nil)
        #expect(cut(SampleBatch.payload([(1, 0), (2, 0), (3, 0), (4, 0)])) != nil)
    }

    private func record(_ sequence: UInt64, spans: Int) -> JournalRecord {
        SampleBatch.record((1...UInt64(spans)).map { ($0, SampleBatch.fourOClock) }, sequence: sequence)
    }
}
