import Testing

@testable import Weir

@Suite struct PartitionEncoderTests {
    private let start = SampleBatch.fourOClock
    private let hour = SampleBatch.hour

    @Test func writesABatchOfOnePartitionAsTheBytesItCameIn() throws {
        let record = SampleBatch.record([(1, start), (2, start + hour - 1)])
        let messages = try encode([record], .proto).messages
        #expect(messages.map(\.partition.path) == ["tenant=default/date=2026-02-03/hour=04"])
        let length = withUnsafeBytes(of: UInt32(record.payload.count).bigEndian) { Array($0) }
        #expect(messages.first?.bytes == length + Array(record.payload.bytes))
    }

    @Test func sortsSpansByTheHourOfTheirStart() throws {
        let mixed = SampleBatch.record([
            (1, start), (2, start + hour), (3, start - 1), (4, start + 1), (5, start + hour),
        ])
        #expect(
            try spansByPath([mixed]) == [
                "tenant=default/date=2026-02-03/hour=03": [3], "tenant=default/date=2026-02-03/hour=04": [1, 4],
                "tenant=default/date=2026-02-03/hour=05": [2, 5],
            ])
    }

    @Test func keepsTenantsApart() throws {
        let records = [
            SampleBatch.record([(1, start)], tenant: "a", sequence: 1),
            SampleBatch.record([(2, start)], tenant: "b", sequence: 2),
            SampleBatch.record([(3, start)], tenant: "a", sequence: 3),
        ]
        #expect(
            try spansByPath(records) == [
                "tenant=a/date=2026-02-03/hour=04": [1, 3], "tenant=b/date=2026-02-03/hour=04": [2],
            ])
    }

    @Test func acceptsTheFirstAndTheLastTimeThereIs() throws {
        #expect(
            try spansByPath([SampleBatch.record([(1, 0), (2, .max)])]) == [
                "tenant=default/date=1970-01-01/hour=00": [1], "tenant=default/date=2554-07-21/hour=23": [2],
            ])
    }

    @Test func putsSpansOfTooManyHoursWhereThereIsNone() throws {
        let spans = (0..<200).map { (id: UInt64($0 + 1), start: start + UInt64($0 % 100) * hour) }
        let (messages, counts) = try encode([SampleBatch.record(spans, tenant: "a")], .proto)
        #expect(messages.count == 65)
        #expect(counts.scattered == 72)
        let scattered = try #require(messages.last)
        #expect(scattered.partition == ArchivePartition(tenant: "a", hour: nil))
        let ids = try SampleBatch.decode(Array(scattered.bytes.dropFirst(4))) { batch in batch.spans.map(\.spanID) }
        #expect(ids == spans.filter { ($0.id - 1) % 100 >= 64 }.map(\.id))
    }

    @Test func putsARecordInTheSamePlacesWhateverItIsDeliveredWith() throws {
        let records = (0..<40 as Range<UInt64>).map { number in
            SampleBatch.record(
                (0..<3).map { (number * 3 + $0 + 1, number * 9 * hour + $0 * hour) }, sequence: number + 1)
        }
        var alone: [String: [UInt64]] = [:]
        for record in records { alone.merge(try spansByPath([record])) { $0 + $1 } }
        #expect(try spansByPath(records) == alone)
        #expect(alone.count == 120)
    }

    @Test func leavesOutWhatAFileHas() throws {
        let record = SampleBatch.record([(1, start), (2, start + hour), (3, start)])
        let (messages, counts) = try encode([record], .proto) { partition, _ in
            partition.hour == ArchivePartition.hour(of: start) ? nil : 0
        }
        #expect(messages.map(\.partition.path) == ["tenant=default/date=2026-02-03/hour=05"])
        #expect(counts.archived == 2)
        #expect(try encode([record], .proto, since: { _, _ in nil }).messages.isEmpty)
    }

    @Test func beginsAnewBehindARecordThatIsInAnotherFile() throws {
        let records = (1...5 as ClosedRange<UInt64>).map { SampleBatch.record([($0, start)], sequence: $0) }
        let (messages, _) = try encode(records, .proto) { _, sequence in
            sequence == 3 ? nil : sequence < 3 ? 0 : 4
        }
        #expect(messages.map(\.spans.sequences) == [1...2, 4...5])
        #expect(messages.map(\.spans.records) == [2, 2])
        #expect(messages.map(\.since) == [0, 4])
    }

    @Test func endsEveryJSONMessageWithALineFeed() throws {
        let records = [SampleBatch.record([(1, start)]), SampleBatch.record([(2, start)], sequence: 2)]
        let bytes = try #require(try encode(records, .json).messages.first?.bytes)
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"resourceSpans":["#) && $0.hasSuffix("}") })
    }

    @Test func startsAnewAfterAReset() throws {
        var encoder = PartitionEncoder(.proto)
        try add([SampleBatch.record((0..<65).map { ($0 + 1, start + $0 * hour) })], to: &encoder)
        #expect(encoder.scatteredSpans == 1)
        encoder.reset()
        #expect(encoder.messages.isEmpty)
        #expect(encoder.scatteredSpans == 0)
        try add([SampleBatch.record([(2, start)])], to: &encoder)
        #expect(encoder.messages.map(\.spans.spans) == [1])
    }

    private typealias Since = (ArchivePartition, UInt64) -> UInt64?

    private func encode(
        _ records: [JournalRecord], _ format: ArchiveFormat, since: Since = { _, _ in 0 }
    ) throws -> (messages: [ArchiveMessages], counts: (scattered: Int, archived: Int)) {
        var encoder = PartitionEncoder(format)
        try add(records, to: &encoder, since: since)
        return (encoder.messages, (encoder.scatteredSpans, encoder.archivedSpans))
    }

    private func add(
        _ records: [JournalRecord], to encoder: inout PartitionEncoder, since: Since = { _, _ in 0 }
    ) throws {
        var batch = Batch()
        for record in records {
            try OTLPDecoder().decode(record.payload, into: &batch)
            batch.tenant = record.tenant
            try encoder.add(&batch, record.sequence) { since($0, record.sequence) }
        }
    }

    private func spansByPath(_ records: [JournalRecord]) throws -> [String: [UInt64]] {
        var found: [String: [UInt64]] = [:]
        for messages in try encode(records, .proto).messages {
            var rest = messages.bytes[...]
            while !rest.isEmpty {
                let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                found[messages.partition.path, default: []] += try SampleBatch.decode(
                    Array(rest.dropFirst(4).prefix(length))
                ) {
                    batch in batch.spans.map(\.spanID)
                }
                rest = rest.dropFirst(4 + length)
            }
        }
        return found
    }
}
