/// A list of the records of a segment, in a file of its own beside it, `.idx`: so a start need not read the segments,
/// and a client's resend is still known when the segment it was in has been used again. It can always be made anew from
/// the segment.
struct SegmentIndex: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let sequence: UInt64
        let receivedAt: Timestamp
        let key: RequestKey
        /// Of the header, in the segment.
        let offset: Int
        /// Bytes from this header to the next.
        let length: Int
        let spanCount: Int
        /// Index into `tenants`.
        let tenant: Int
        /// What the client was told about rejected spans; empty in most.
        let answer: String

        var load: Load { Load(records: 1, spans: spanCount, bytes: length) }
    }

    let header: SegmentHeader
    private(set) var tenants: [String] = []
    private(set) var entries: [Entry] = []

    init(of header: SegmentHeader) {
        self.header = header
    }

    /// The sequence behind its last record.
    var end: UInt64 { entries.last.map { $0.sequence + 1 } ?? header.firstSequence }

    mutating func add(_ record: RecordHeader, at offset: Int, tenant: String, answer: String) {
        entries.append(
            Entry(
                sequence: record.sequence, receivedAt: record.receivedAt, key: record.key, offset: offset,
                length: record.stride, spanCount: record.spanCount, tenant: index(of: tenant), answer: answer))
    }

    /// Takes out what a later segment voids.
    mutating func drop(from sequence: UInt64) {
        while let last = entries.last, last.sequence >= sequence { entries.removeLast() }
    }

    /// There are few tenants, and most often it is the last one again.
    private mutating func index(of tenant: String) -> Int {
        if let known = tenants.lastIndex(of: tenant) { return known }
        tenants.append(tenant)
        return tenants.count - 1
    }

    /// - Parameter size: of the segment's file, in bytes.
    func summary(size: Int) -> SegmentSummary {
        var summary = SegmentSummary(header: header, size: size)
        for entry in entries { summary.add(entry, tenant: tenants[entry.tenant]) }
        return summary
    }
}

extension SegmentIndex {
    private static let magic: UInt64 = 0x3158_4449_5249_4557  // WEIRIDX1
    private static let fixedSize = 56

    /// The file's content: counts, the tenants, the entries, each with its answer's text behind it, and a checksum.
    func encoded(_ disk: any JournalDisk) -> [UInt8] {
        var bytes = Writer()
        bytes.put(Self.magic)
        bytes.put(UInt64(0))  // the length, once it is known
        bytes.put(header.journal.value)
        bytes.put(header.id)
        bytes.put(header.firstSequence)
        bytes.put(header.createdAt.nanoseconds)
        bytes.put(UInt32(tenants.count))
        bytes.put(UInt32(entries.count) << 1 | (header.isJump ? 1 : 0))
        for tenant in tenants { bytes.put(tenant) }
        for entry in entries {
            bytes.put(entry.sequence)
            bytes.put(entry.receivedAt.nanoseconds)
            bytes.put(entry.key.high)
            bytes.put(entry.key.low)
            bytes.put(UInt32(entry.offset))
            bytes.put(UInt32(entry.length))
            bytes.put(UInt32(entry.spanCount))
            bytes.put(UInt32(entry.tenant))
            bytes.put(entry.answer)
        }
        bytes.setLength(at: 8)
        let checksum = bytes.bytes.withUnsafeBytes { disk.checksum($0, after: 0) }
        bytes.put(checksum)
        return bytes.bytes
    }

    /// - Parameter bytes: the file, which may be longer than its content.
    /// - Returns: nil when it is not whole.
    init?(_ bytes: UnsafeRawBufferPointer, _ disk: any JournalDisk) {
        guard bytes.count >= Self.fixedSize + 4, bytes.get(UInt64.self, at: 0) == Self.magic,
            let length = Int(exactly: bytes.get(UInt64.self, at: 8)), length >= Self.fixedSize,
            length <= bytes.count - 4,
            disk.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<length]), after: 0) == bytes.get(at: length)
        else { return nil }
        // What has the right checksum was written by `encoded`, so the rest is where it says.
        var reader = Reader(bytes: UnsafeRawBufferPointer(rebasing: bytes[0..<length]), offset: 16)
        let journal = JournalID(value: reader.number())
        let id: UInt64 = reader.number()
        let first: UInt64 = reader.number()
        let created = Timestamp(nanoseconds: reader.number())
        let tenantCount = Int(reader.number() as UInt32)
        let countAndJump: UInt32 = reader.number()
        header = SegmentHeader(
            journal: journal, id: id, firstSequence: first, createdAt: created, isJump: countAndJump & 1 == 1)
        for _ in 0..<tenantCount { tenants.append(reader.text()) }
        for _ in 0..<countAndJump >> 1 {
            entries.append(
                Entry(
                    sequence: reader.number(), receivedAt: Timestamp(nanoseconds: reader.number()),
                    key: RequestKey(high: reader.number(), low: reader.number()),
                    offset: Int(reader.number() as UInt32), length: Int(reader.number() as UInt32),
                    spanCount: Int(reader.number() as UInt32), tenant: Int(reader.number() as UInt32),
                    answer: reader.text()))
        }
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func put<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }

        mutating func put(_ text: String) {
            put(UInt16(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }

        mutating func setLength(at offset: Int) {
            let length = UInt64(bytes.count)
            bytes.withUnsafeMutableBytes { $0.baseAddress?.put(length, at: offset) }
        }
    }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var offset: Int

        mutating func number<T: FixedWidthInteger>() -> T {
            defer { offset += MemoryLayout<T>.size }
            return bytes.get(at: offset)
        }

        mutating func text() -> String {
            let count = Int(number() as UInt16)
            defer { offset += count }
            return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
        }
    }
}
