/// The file that holds a ``SegmentIndex``.
enum IndexFile {
    static let suffix = ".idx"

    static func write(_ index: SegmentIndex, _ disk: any JournalDisk) throws(DiskError) {
        let content = index.encoded(disk)
        let buffer = AlignedBuffer(capacity: content.count.roundedUp(to: disk.blockSize))
        content.withUnsafeBytes { buffer.memory.copyMemory(from: $0) }
        let name = SegmentSummary.name(of: index.header.firstSequence) + suffix
        // What was left of an earlier try would be in the way.
        try? disk.remove(name)
        let file = try disk.create(name, size: buffer.memory.count)
        try file.write(buffer.bytes, at: 0)
        try file.sync()
    }

    /// - Returns: nil when the file is not whole.
    static func read(_ name: String, _ disk: any JournalDisk) throws(DiskError) -> SegmentIndex? {
        let file = try disk.open(name, isReadOnly: true)
        let buffer = AlignedBuffer(capacity: file.size.roundedUp(to: disk.blockSize))
        do throws(DiskError) {
            let count = try file.read(into: buffer.memory, at: 0)
            return SegmentIndex(UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<count]), disk)
        } catch {
            guard error.isUnreadable else { throw error }
            return nil
        }
    }
}
