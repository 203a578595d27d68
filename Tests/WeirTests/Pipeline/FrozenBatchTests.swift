import Testing

@testable import Weir

@Suite struct FrozenBatchTests {
    @Test func decodesOneRecordAfterTheOther() throws {
        let start = SampleBatch.fourOClock
        let frozen = FrozenBatch(records: [
            SampleBatch.record([(1, start), (2, start)], tenant: "shop", sequence: 7),
            SampleBatch.record([(3, start)], tenant: "bank", sequence: 8),
        ])
        #expect(frozen.spanCount == 3)
        #expect(frozen.byteCount == frozen.records[0].payload.count + frozen.records[1].payload.count)
        var seen: [String] = []
        var batch = Batch()
        batch.tenant = "what was there before"
        try frozen.forEach(into: &batch) { batch, record in
            let names = batch.spans.map { batch.text($0.name) }
            #expect(batch.receivedAt == record.receivedAt)
            seen.append("\(record.sequence) \(batch.tenant) \(names.joined(separator: ","))")
        }
        #expect(seen == ["7 shop span 1,span 2", "8 bank span 3"])
    }

    @Test func beginsAtARecordAndStopsWhereNoMoreAreWanted() throws {
        let frozen = FrozenBatch(
            records: (UInt64(1)...4).map { SampleBatch.record([($0, 1)], sequence: $0) })
        var seen: [UInt64] = []
        var batch = Batch()
        try frozen.forEach(from: 1, into: &batch) { _, record in
            seen.append(record.sequence)
            return record.sequence < 3
        }
        #expect(seen == [2, 3])
        #expect(batch.spans.isEmpty, "nothing is kept")
    }

    @Test func stopsAtTheFirstError() {
        let frozen = FrozenBatch(records: [
            SampleBatch.record([(1, 1)], sequence: 1), SampleBatch.record([(2, 1)], sequence: 2),
        ])
        var calls = 0
        var batch = Batch()
        #expect(throws: CancellationError.self) {
            try frozen.forEach(into: &batch) { _, _ in
                calls += 1
                throw CancellationError()
            }
        }
        #expect(calls == 1)
    }
}
