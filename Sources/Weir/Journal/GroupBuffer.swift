/// The records of one group commit, as they are written: one behind the other, with zeros up to the end of the block.
/// So no block that holds an acknowledged record is ever written again.
struct GroupBuffer: ~Copyable {
    /// Bytes of records that go into one write; a record that is larger goes alone.
    static let groupBytes = 1 << 20
    static let groupRecords = 256

    private var buffer = AlignedBuffer(capacity: groupBytes)
    private var count = 0
    private var written = 0

    mutating func reset() {
        count = 0
        written = 0
        if buffer.memory.count > 4 * Self.groupBytes { buffer = AlignedBuffer(capacity: Self.groupBytes) }
    }

    /// Adds a record, unless the group is full or the room in the segment is.
    /// - Parameters:
    ///   - room: bytes left in the segment for the whole group, a multiple of the block size.
    /// - Returns: its header and where it begins in the group; nil when it has to wait for the next group.
    mutating func add(
        _ entry: JournalEntry, sequence: UInt64, durableBelow: UInt64, seed: UInt32, room: Int, _ disk: any JournalDisk
    ) -> (header: RecordHeader, offset: Int)? {
        let answer = entry.answer
        let section = entry.section.bytes
        let stored = entry.tenant.utf8.count + answer.utf8.count + section.count + entry.payload.count
        let stride = RecordHeader.stride(of: stored)
        guard written < Self.groupRecords, count + stride <= room else { return nil }
        if count + stride > buffer.memory.count {
            guard count == 0 else { return nil }
            buffer.resize(stride.roundedUp(to: AlignedBuffer.alignment))
        }
        guard let start = buffer.memory.baseAddress.map({ $0 + count }) else { return nil }
        var end = start + RecordHeader.size
        func append(_ bytes: UnsafeRawBufferPointer) {
            if let base = bytes.baseAddress { end.copyMemory(from: base, byteCount: bytes.count) }
            end += bytes.count
        }
        for text in [entry.tenant, answer] {
            var text = text
            text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
        }
        section.withUnsafeBytes(append)
        append(entry.payload.bytes)
        let padding = start + stride - end
        end.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
        let body = UnsafeRawBufferPointer(start: start + RecordHeader.size, count: stored)
        let header = RecordHeader(
            codec: entry.codec, storedLength: stored, decodedLength: stored, sequence: sequence,
            receivedAt: entry.receivedAt,
            key: entry.key, durableBelow: durableBelow, spanCount: entry.spanCount, keyID: entry.keyID,
            tenantLength: entry.tenant.utf8.count, answerLength: answer.utf8.count,
            sectionLength: section.count,
            bodyChecksum: disk.checksum(body, after: 0))
        header.write(to: start, seed: seed, disk)
        defer {
            count += stride
            written += 1
        }
        return (header, count)
    }

    /// What is to be written: whole blocks.
    mutating func padded(to blockSize: Int) -> UnsafeRawBufferPointer {
        let length = count.roundedUp(to: blockSize)
        UnsafeMutableRawBufferPointer(rebasing: buffer.memory[count..<length])
            .initializeMemory(as: UInt8.self, repeating: 0)
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<length])
    }
}
