/// The first block of a segment. It stands there twice, each with a checksum, so that one bad sector does not take the
/// records behind it along.
///
/// A segment voids what earlier segments hold from its first sequence on: so records that were written, but answered
/// with an error because nobody knew whether they were durable, are never delivered.
struct SegmentHeader: Equatable {
    static let size = 64
    private static let magic: UInt64 = 0x3147_4553_5249_4557  // WEIRSEG1

    let journal: JournalID
    /// Drawn for each use of a file.
    let id: UInt64
    let firstSequence: UInt64
    let createdAt: Timestamp
    /// The sequences before the first one were never used, or were told to be lost: they are not a gap.
    let isJump: Bool

    /// Fills `block` with both copies.
    func write(to block: UnsafeMutableRawBufferPointer, _ disk: any JournalDisk) {
        block.initializeMemory(as: UInt8.self, repeating: 0)
        guard let start = block.baseAddress else { return }
        for copy in [start, start + block.count / 2] {
            copy.put(Self.magic, at: 0)
            copy.put(journal.value, at: 8)
            copy.put(id, at: 16)
            copy.put(firstSequence, at: 24)
            copy.put(createdAt.nanoseconds, at: 32)
            copy.put(UInt64(isJump ? 1 : 0), at: 40)
            copy.put(disk.checksum(UnsafeRawBufferPointer(start: copy, count: 60), after: 0), at: 60)
        }
    }

    /// - Returns: nil when neither copy in the block is whole.
    init?(_ block: UnsafeRawBufferPointer, _ disk: any JournalDisk) {
        for offset in [0, block.count / 2] where block.count >= 2 * Self.size {
            let copy = UnsafeRawBufferPointer(rebasing: block[offset..<offset + Self.size])
            guard copy.get(UInt64.self, at: 0) == Self.magic,
                disk.checksum(UnsafeRawBufferPointer(rebasing: copy[0..<60]), after: 0) == copy.get(at: 60)
            else { continue }
            journal = JournalID(value: copy.get(at: 8))
            id = copy.get(at: 16)
            firstSequence = copy.get(at: 24)
            createdAt = Timestamp(nanoseconds: copy.get(at: 32))
            isJump = copy.get(UInt64.self, at: 40) & 1 == 1
            return
        }
        return nil
    }

    init(journal: JournalID, id: UInt64, firstSequence: UInt64, createdAt: Timestamp, isJump: Bool) {
        self.journal = journal
        self.id = id
        self.firstSequence = firstSequence
        self.createdAt = createdAt
        self.isJump = isJump
    }

    /// What the checksums of its records' headers go on from.
    func seed(_ disk: any JournalDisk) -> UInt32 {
        withUnsafeBytes(of: id.littleEndian) { disk.checksum($0, after: 0) }
    }
}
