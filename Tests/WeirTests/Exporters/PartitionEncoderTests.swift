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

    @Test(arguments: [ArchiveFormat.proto, .parquet]) func putsAWrongClockAtTheEdge(format: ArchiveFormat) throws {
        let record = SampleBatch.record([(1, 0), (2, .max), (3, start), (4, start - 31 * 24 * hour)], received: start)
        let (messages, counts) = try encode([record], format)
        #expect(
            messages.map(\.partition.path)
                == ["2026-01-04/hour=00", "2026-02-04/hour=00", "2026-02-03/hour=04"].map {
                    "tenant=default/date=\($0)"
                })
        #expect(counts.suspect == 3 && messages.map(\.spans.suspects) == [2, 1, 0])
        #expect(messages[0].spans.times == 0...start - 31 * 24 * hour)
    }

    @Test func putsWhatIsLateOrEarlyInTheFirstHourOfItsDay() throws {
        let month = start - 29 * 24 * hour
        let starts = [start - 6 * hour, start - 6 * hour - 1, start + 6 * hour, start + 7 * hour, month]
        let record = SampleBatch.record(zip(1..., starts).map { ($0, $1) }, received: start)
        #expect(
            try spansByPath([record]) == [
                "tenant=default/date=2026-02-02/hour=22": [1], "tenant=default/date=2026-02-02/hour=00": [2],
                "tenant=default/date=2026-02-03/hour=10": [3], "tenant=default/date=2026-02-03/hour=00": [4],
                "tenant=default/date=2026-01-05/hour=00": [5],
            ])
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func hasFewPlacesWhateverTheClocksSay(format: ArchiveFormat) throws {
        var random = SplitMix64(seed: 7)
        var places: Set<ArchivePartition> = []
        for number in 1...40 as ClosedRange<UInt64> {
            let days = UInt64(40 * 24)
            let spans = (0..<50 as Range<UInt64>).map { id in
                (
                    id: number * 50 + id,
                    start: id % 2 == 0
                        ? UInt64.random(in: 0 ... .max, using: &random)
                        : start - 35 * 24 * hour + UInt64.random(in: 0..<days * hour, using: &random)
                )
            }
            let record = SampleBatch.record(spans, sequence: number, received: start + number)
            let (messages, _) = try encode([record], format)
            #expect(messages.reduce(0) { $0 + $1.spans.spans } == 50)
            places.formUnion(messages.map(\.partition))
        }
        #expect(places.count <= ArchiveWindow.maximumPartitions && places.count > 32)
    }

    @Test func putsARecordInTheSamePlacesWhateverItIsDeliveredWith() throws {
        let records = (0..<40 as Range<UInt64>).map { number in
            SampleBatch.record(
                (0..<3).map { (number * 3 + $0 + 1, start + number * 9 * hour + $0 * hour) }, sequence: number + 1,
                received: start + number * 9 * hour)
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
        try add([SampleBatch.record([(1, 0)], received: start)], to: &encoder)
        #expect(encoder.suspectSpans == 1)
        encoder.reset()
        #expect(encoder.messages.isEmpty)
        #expect(encoder.suspectSpans == 0)
        try add([SampleBatch.record([(2, start)])], to: &encoder)
        #expect(encoder.messages.map(\.spans.spans) == [1])
    }

    private typealias Since = (ArchivePartition, UInt64) -> UInt64?

    private func encode(
        _ records: [JournalRecord], _ format: ArchiveFormat, since: Since = { _, _ in 0 }
    ) throws -> (messages: [ArchiveMessages], counts: (suspect: Int, archived: Int)) {
        var encoder = PartitionEncoder(format)
        try add(records, to: &encoder, since: since)
        return (encoder.messages, (encoder.suspectSpans, encoder.archivedSpans))
    }

    private func add(
        _ records: [JournalRecord], to encoder: inout PartitionEncoder, since: Since = { _, _ in 0 }
    ) throws {
        var batch = Batch()
        for record in records {
            try OTLPDecoder().decode(record.payload, into: &batch)
            (batch.tenant, batch.receivedAt) = (record.tenant, record.receivedAt)
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
