/// Where a cursor is kept: a file of two blocks that are written in turn, so one of them is whole at any time. Its room
/// on the disk is taken when it is made, so a full disk cannot keep an exporter from noting what it has done.
struct CursorFile {
    static let suffix = ".cursor"
    private static let magic: UInt64 = 0x3152_5543_5249_4557  // WEIRCUR1
    private static let fixedSize = 48

    private var file: any JournalFile
    private let name: String
    private let disk: any JournalDisk
    private let journal: JournalID
    private var generation: UInt64 = 0
    /// What the file holds; nil when nothing was written yet or both blocks are damaged.
    private(set) var cursor: Cursor?
    /// Every sequence below it was where a power cut leaves it, says the file: what of them is not found was lost. 0 is
    /// unknown.
    private(set) var durableBelow: UInt64 = 0

    /// Opens the file, or makes it.
    /// - Parameter isReadOnly: for one who only looks; then a missing file is an error.
    init(
        _ name: String, _ journal: JournalID, _ disk: any JournalDisk, exists: Bool, isReadOnly: Bool = false
    ) throws(DiskError) {
        self.name = name
        self.disk = disk
        self.journal = journal
        file =
            exists
            ? try disk.open(name, isReadOnly: isReadOnly) : try disk.create(name, size: 2 * disk.blockSize)
        let buffer = AlignedBuffer(capacity: 2 * disk.blockSize)
        _ = try file.readAround(into: buffer.memory, at: 0, blockSize: disk.blockSize)
        for slot in 0..<2 {
            let block = buffer.bytes[slot * disk.blockSize..<(slot + 1) * disk.blockSize]
            guard let found = decode(UnsafeRawBufferPointer(rebasing: block)), found.generation > generation else {
                continue
            }
            (generation, cursor, durableBelow) = found
        }
        // A power cut may leave a new file without its room.
        guard !isReadOnly, file.size < 2 * disk.blockSize else { return }
        try disk.remove(name)
        file = try disk.create(name, size: 2 * disk.blockSize)
    }

    /// How many separate ranges of what is done behind the first gap a file holds.
    static func room(_ disk: any JournalDisk) -> Int { (disk.blockSize - fixedSize) / 16 }

    /// Returns when the operating system has it: the process may die, the machine may not, until `sync` has returned.
    mutating func write(_ cursor: Cursor, durableBelow: UInt64) throws(DiskError) {
        let block = AlignedBuffer(capacity: disk.blockSize)
        guard let start = block.memory.baseAddress else { return }
        // Ranges that do not fit are delivered again.
        let done = cursor.done.prefix(Self.room(disk))
        start.put(Self.magic, at: 0)
        start.put(generation + 1, at: 8)
        start.put(journal.value, at: 16)
        start.put(cursor.next, at: 24)
        start.put(UInt32(done.count), at: 32)
        start.put(durableBelow, at: 40)
        for (index, range) in done.enumerated() {
            start.put(range.lowerBound, at: Self.fixedSize + 16 * index)
            start.put(range.upperBound, at: Self.fixedSize + 16 * index + 8)
        }
        start.put(checksum(block.bytes), at: 36)
        let offset = Int((generation + 1) % 2) * disk.blockSize
        do throws(DiskError) {
            try file.write(block.bytes, at: offset)
        } catch {
            guard error.isMissing else { throw error }
            // Somebody has removed it, and an exporter without one is new to the next start.
            file = try disk.create(name, size: 2 * disk.blockSize)
            try file.write(block.bytes, at: offset)
            try disk.sync()
        }
        generation += 1
        self.cursor = cursor
        self.durableBelow = durableBelow
    }

    mutating func sync() throws(DiskError) {
        do throws(DiskError) {
            try file.sync()
        } catch {
            // Nobody knows what is there, so it is written again the next time.
            cursor = nil
            throw error
        }
    }

    /// Writes what it does not hold yet, and returns when that is where a power cut leaves it.
    mutating func keep(_ cursor: Cursor, durableBelow: UInt64) throws(DiskError) {
        if cursor != self.cursor || durableBelow > self.durableBelow { try write(cursor, durableBelow: durableBelow) }
        do throws(DiskError) {
            try sync()
        } catch {
            guard error.isMissing else { throw error }
            try write(cursor, durableBelow: durableBelow)
            try sync()
        }
    }

    private func checksum(_ block: UnsafeRawBufferPointer) -> UInt32 {
        let front = disk.checksum(UnsafeRawBufferPointer(rebasing: block[0..<36]), after: 0)
        return disk.checksum(UnsafeRawBufferPointer(rebasing: block[40...]), after: front)
    }

    private func decode(
        _ block: UnsafeRawBufferPointer
    ) -> (generation: UInt64, cursor: Cursor, durableBelow: UInt64)? {
        guard block.get(UInt64.self, at: 0) == Self.magic, checksum(block) == block.get(at: 36),
            block.get(UInt64.self, at: 16) == journal.value
        else { return nil }
        let done = (0..<Int(block.get(UInt32.self, at: 32))).map { index in
            let offset = Self.fixedSize + 16 * index
            return block.get(UInt64.self, at: offset)...block.get(UInt64.self, at: offset + 8)
        }
        return (block.get(at: 8), Cursor(next: block.get(at: 24), done: done), block.get(at: 40))
    }
}
