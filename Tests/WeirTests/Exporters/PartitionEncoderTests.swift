import Testing

@testable import Weir

@Suite struct PartitionEncoderTests {
    private let start = SampleBatch.fourOClock
    private let hour = SampleBatch.hour

    @Test func writesABatchOfOnePartitionAsTheBytesItCameIn() throws {
        let record = SampleBatch.record([(1, start), (2, start + hour - 1)])
        let messages = try encode([record], .proto).messages
        #expect(messages.keys.map(\.path) == ["tenant=default/date=2026-02-03/hour=04"])
        let length = withUnsafeBytes(of: UInt32(record.payload.count).bigEndian) { Array($0) }
        #expect(messages.values.first == length + Array(record.payload.bytes))
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
            SampleBatch.record([(1, start)], tenant: "a"), SampleBatch.record([(2, start)], tenant: "b"),
            SampleBatch.record([(3, start)], tenant: "a"),
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
        var encoder = PartitionEncoder(.proto, maxHours: 10)
        try add([SampleBatch.record(spans, tenant: "a"), SampleBatch.record(spans, tenant: "b")], to: &encoder)
        #expect(encoder.messages.count == 22)
        #expect(encoder.scatteredSpans == 360)
        let scattered = try #require(encoder.messages[ArchivePartition(tenant: "a", hour: nil)])
        let ids = try SampleBatch.decode(Array(scattered.dropFirst(4))) { batch in batch.spans.map(\.spanID) }
        #expect(ids == spans.filter { ($0.id - 1) % 100 >= 10 }.map(\.id))
    }

    @Test func endsEveryJSONMessageWithALineFeed() throws {
        let records = [SampleBatch.record([(1, start)]), SampleBatch.record([(2, start)])]
        let bytes = try #require(try encode(records, .json).messages.values.first)
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"resourceSpans":["#) && $0.hasSuffix("}") })
    }

    @Test func startsAnewAfterAReset() throws {
        var encoder = PartitionEncoder(.proto, maxHours: 1)
        try add([SampleBatch.record([(1, start), (2, start + hour)])], to: &encoder)
        encoder.reset()
        #expect(encoder.messages.isEmpty)
        try add([SampleBatch.record([(2, start + hour)])], to: &encoder)
        #expect(encoder.scatteredSpans == 0)
    }

    private func encode(
        _ records: [JournalRecord], _ format: ArchiveFormat
    ) throws -> (messages: [ArchivePartition: [UInt8]], scattered: Int) {
        var encoder = PartitionEncoder(format, maxHours: 64)
        try add(records, to: &encoder)
        return (encoder.messages, encoder.scatteredSpans)
    }

    private func add(_ records: [JournalRecord], to encoder: inout PartitionEncoder) throws {
        var batch = Batch()
        for record in records {
            try OTLPDecoder().decode(record.payload, into: &batch)
            batch.tenant = record.tenant
            try encoder.add(&batch)
        }
    }

    private func spansByPath(_ records: [JournalRecord]) throws -> [String: [UInt64]] {
        var found: [String: [UInt64]] = [:]
        for (partition, bytes) in try encode(records, .proto).messages {
            var rest = bytes[...]
            while !rest.isEmpty {
                let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                found[partition.path, default: []] += try SampleBatch.decode(Array(rest.dropFirst(4).prefix(length))) {
                    batch in batch.spans.map(\.spanID)
                }
                rest = rest.dropFirst(4 + length)
            }
        }
        return found
    }
}
