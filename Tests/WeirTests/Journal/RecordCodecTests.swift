import Testing

@testable import Weir

/// What records and segments begin with, and the list of a segment's records.
@Suite struct RecordCodecTests {
    private let disk = SimulatedDisk(seed: 1)

    private let record = RecordHeader(
        codec: 3, storedLength: 1_000_000, decodedLength: 4_000_000_000, sequence: .max - 1,
        receivedAt: Timestamp(nanoseconds: 0x0102_0304_0506_0708), key: RequestKey(high: 0x1112, low: 0x2122),
        durableBelow: 77, spanCount: 123_456, keyID: 9, tenantLength: 65_535, answerLength: 65_534,
        sectionLength: 1_000, bodyChecksum: 0xDEAD_BEEF)

    private let header = SegmentHeader(
        journal: JournalID(value: 0xAABB), id: 0xCCDD, firstSequence: 42, createdAt: Timestamp(nanoseconds: 7),
        isJump: true)

    private func bytes(of record: RecordHeader, seed: UInt32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: 96)
        bytes.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { record.write(to: start, seed: seed, disk) }
        }
        return bytes
    }

    private func read(_ bytes: [UInt8], seed: UInt32) -> RecordHeader? {
        bytes.withUnsafeBytes { RecordHeader($0, seed: seed, disk) }
    }

    @Test func aRecordHeaderIsReadAsItWasWritten() {
        let bytes = bytes(of: record, seed: 5)
        #expect(read(bytes, seed: 5) == record)
        #expect(Array(bytes[80...]) == Array(repeating: 0xEE, count: 16), "it is 80 bytes long")
        #expect(read(bytes, seed: 6) == nil, "it is of one segment")
        #expect(read(Array(bytes.prefix(79)), seed: 5) == nil)
    }

    @Test func everyBitOfARecordHeaderCounts() {
        let whole = bytes(of: record, seed: 5)
        for bit in 0..<80 * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(read(bytes, seed: 5) == nil, "bit \(bit)")
        }
    }

    @Test func aRecordHeaderThatContradictsItselfIsNone() {
        var record = record
        record.decodedLength = 65_535 + 65_534 + 1_000
        #expect(read(bytes(of: record, seed: 5), seed: 5) != nil)
        record.decodedLength -= 1
        #expect(read(bytes(of: record, seed: 5), seed: 5) == nil)
    }

    @Test func recordsBeginAtMultiplesOfSixteen() {
        #expect([0, 1, 15, 16, 17].map(RecordHeader.stride) == [80, 96, 96, 96, 112])
        let entry = JournalEntry.numbered(1, bytes: 15)
        #expect(entry.size == 96)
    }

    @Test func eitherCopyOfASegmentHeaderIsEnough() {
        for size in [128, 512, 4_096] {
            let block = AlignedBuffer(capacity: size)
            header.write(to: block.memory, disk)
            #expect(SegmentHeader(block.bytes, disk) == header)
            for damaged in [0, size / 2] {
                for index in damaged..<damaged + SegmentHeader.size {
                    block.memory[index] ^= 0x40
                    #expect(SegmentHeader(block.bytes, disk) == header, "byte \(index)")
                    block.memory[index] ^= 0x40
                }
            }
            block.memory[3] ^= 1
            block.memory[size / 2 + 3] ^= 1
            #expect(SegmentHeader(block.bytes, disk) == nil)
        }
        #expect([UInt8](repeating: 0, count: 64).withUnsafeBytes { SegmentHeader($0, disk) } == nil)
    }

    private func makeIndex() -> SegmentIndex {
        var index = SegmentIndex(of: header)
        for number in 0..<20 {
            var record = record
            record.storedLength = 100 * number
            record.sequence = UInt64(42 + number)
            index.add(
                record, at: 512 + 2_000 * number, tenant: ["", "t", "Übermieter"][number % 3],
                answer: number.isMultiple(of: 5) ? "trace_id=\(number)" : "")
        }
        return index
    }

    @Test func anIndexIsReadAsItWasWritten() {
        let index = makeIndex()
        let bytes = index.encoded(disk)
        #expect(bytes.withUnsafeBytes { SegmentIndex($0, disk) } == index)
        #expect((bytes + [0, 0, 0]).withUnsafeBytes { SegmentIndex($0, disk) } == index, "padding follows")
        let empty = SegmentIndex(of: header)
        #expect(empty.encoded(disk).withUnsafeBytes { SegmentIndex($0, disk) } == empty)
        #expect(index.tenants.count == 3)
    }

    @Test func everyBitOfAnIndexCounts() {
        let whole = makeIndex().encoded(disk)
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(bytes.withUnsafeBytes { SegmentIndex($0, disk) } == nil, "bit \(bit)")
        }
        for length in 0..<whole.count {
            #expect(whole.prefix(length).withUnsafeBytes { SegmentIndex($0, disk) } == nil, "\(length) bytes")
        }
    }

    @Test func anIndexSumsUpItsSegment() {
        var index = makeIndex()
        index.drop(from: 45)
        let summary = index.summary(size: 9_999)
        #expect(summary.end == 45)
        #expect(summary.size == 9_999)
        #expect(summary.load == Load(records: 3, spans: 3 * 123_456, bytes: 80 + 192 + 288))
        #expect(summary.bytesByTenant == ["": 80, "t": 192, "Übermieter": 288])
        #expect(summary.name == "00000000000000000042")
        index.drop(from: 0)
        #expect(index.summary(size: 1).end == 42)
    }

    @Test func anIndexFileTakesThePlaceOfAnOldOne() throws {
        let index = makeIndex()
        let name = "00000000000000000042.idx"
        _ = try disk.create(name, size: 512)
        #expect(try IndexFile.read(name, disk) == nil)
        try IndexFile.write(index, disk)
        #expect(try IndexFile.read(name, disk) == index)
    }
}
