/// Reads the records of one segment one after the other, in large pieces. Blocks.
struct SegmentReader: ~Copyable {
    /// Bytes that are read at once. A record that is longer is read whole.
    static let pieceSize = 1 << 20

    enum Finding {
        case record(RecordHeader, offset: Int)
        /// The header is whole, the body is not.
        case damagedBody(RecordHeader, offset: Int)
        /// What stands here is no record, though there is one further on.
        case damage(Range<Int>)
        /// No record begins here or further on.
        case end(offset: Int)
    }

    let header: SegmentHeader
    private let disk: any JournalDisk
    private let file: any JournalFile
    private let seed: UInt32
    private var buffer: AlignedBuffer
    /// What of the file is in the buffer.
    private var held = 0..<0
    /// Where the next record is to be.
    private(set) var offset: Int
    /// Only higher sequences are records: what follows is never older than what went before.
    private var minimum: UInt64

    /// - Parameter offset: of a header; nil for the first.
    init(_ file: any JournalFile, _ header: SegmentHeader, _ disk: any JournalDisk, from offset: Int? = nil) {
        self.file = file
        self.header = header
        self.disk = disk
        seed = header.seed(disk)
        self.offset = offset ?? disk.blockSize
        minimum = header.firstSequence
        buffer = AlignedBuffer(capacity: min(Self.pieceSize, file.size.roundedUp(to: disk.blockSize)))
    }

    /// - Parameter end: where the file ends as far as this reader is concerned.
    mutating func next(before end: Int) throws(DiskError) -> Finding {
        while true {
            if let record = try headerHere(before: end) {
                minimum = record.sequence + 1
                let start = offset
                offset += record.stride
                guard try checksum(of: record, at: start) == record.bodyChecksum else {
                    return .damagedBody(record, offset: start)
                }
                return .record(record, offset: start)
            }
            if try isPadding(before: end) {
                offset = (offset + 1).roundedUp(to: disk.blockSize)
                continue
            }
            let start = offset
            offset += RecordHeader.alignment
            while offset < end {
                if try headerHere(before: end) != nil { break }
                offset += RecordHeader.alignment
            }
            guard offset < end else {
                offset = start
                return .end(offset: start)
            }
            return .damage(start..<offset)
        }
    }

    /// Where something stands from here on that is no record, up to its last byte; nil where nothing does.
    mutating func rest(before end: Int) throws(DiskError) -> Range<Int>? {
        var last: Int?
        for start in stride(from: offset, to: end, by: Self.pieceSize) {
            let piece = try bytes(start, min(Self.pieceSize, end - start))
            if let index = piece.lastIndex(where: { $0 != 0 }) { last = start + index }
        }
        return last.map { offset..<$0 + 1 }
    }

    /// Goes back to a record that was found.
    mutating func rewind(to record: RecordHeader, at start: Int) {
        offset = start
        minimum = record.sequence
    }

    /// The bytes between a header and the next. They hold until the next call.
    mutating func body(of record: RecordHeader, at start: Int) throws(DiskError) -> UnsafeRawBufferPointer {
        try bytes(start + RecordHeader.size, record.storedLength)
    }

    private mutating func checksum(of record: RecordHeader, at start: Int) throws(DiskError) -> UInt32 {
        disk.checksum(try body(of: record, at: start), after: 0)
    }

    private mutating func headerHere(before end: Int) throws(DiskError) -> RecordHeader? {
        guard offset + RecordHeader.size <= end else { return nil }
        let bytes = try bytes(offset, RecordHeader.size)
        // A start looks at every 16 bytes behind the last record, and nearly none of them begin one.
        guard RecordHeader.mayBegin(bytes), let record = RecordHeader(bytes, seed: seed, disk),
            record.sequence >= minimum,
            offset + RecordHeader.size + record.storedLength <= end
        else { return nil }
        return record
    }

    /// Whether only zeros stand between here and the end of the block: a group of records ends at a block.
    private mutating func isPadding(before end: Int) throws(DiskError) -> Bool {
        let next = offset.roundedUp(to: disk.blockSize)
        guard next > offset, next <= end else { return false }
        return try bytes(offset, next - offset).allSatisfy { $0 == 0 }
    }

    /// Brings a part of the file into the buffer; what lies behind the file's end is zero.
    private mutating func bytes(_ start: Int, _ count: Int) throws(DiskError) -> UnsafeRawBufferPointer {
        if start < held.lowerBound || start + count > held.upperBound {
            let first = start & ~(disk.blockSize - 1)
            let needed = (start + count - first).roundedUp(to: disk.blockSize)
            if needed > buffer.memory.count || needed <= Self.pieceSize && buffer.memory.count > Self.pieceSize {
                buffer.resize(max(needed, Self.pieceSize))
            }
            // What was held is gone even where reading fails.
            held = 0..<0
            let read = try file.readAround(into: buffer.memory, at: first, blockSize: disk.blockSize)
            if read < needed {
                UnsafeMutableRawBufferPointer(rebasing: buffer.memory[read..<needed])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            }
            held = first..<first + max(read, needed)
        }
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[start - held.lowerBound..<start - held.lowerBound + count])
    }

    /// Forgets what was read ahead, since more has been written.
    mutating func refresh() {
        held = 0..<0
    }
}
