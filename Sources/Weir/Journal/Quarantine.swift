/// Copies of damaged bytes, for whoever wants to know what they were. Nothing here reads them again.
struct Quarantine: Sendable {
    static let prefix = "quarantine-"
    /// Copies that there may be, of this process and those before.
    static let maximumCopies = 64

    private let disk: any JournalDisk
    /// Of damages that were told.
    private var names: Set<String>
    private var copies: Int

    init(_ disk: any JournalDisk) throws(DiskError) {
        self.disk = disk
        names = Set(try disk.names().filter { $0.hasPrefix(Self.prefix) })
        copies = names.count
    }

    /// Copies damaged bytes of a file, if there is room.
    /// - Returns: false where that damage is known already.
    @discardableResult mutating func keep(
        _ bytes: Range<Int>, of file: String, _ events: (JournalEvent) -> Void
    ) -> Bool {
        let name = "\(Self.prefix)\(file)-\(bytes.lowerBound)"
        guard names.insert(name).inserted else { return false }
        guard !bytes.isEmpty, copies < Self.maximumCopies else { return true }
        do throws(DiskError) {
            try copy(bytes, of: file, to: name)
            copies += 1
            events(.quarantined(file: name, bytes: bytes.count))
        } catch {
            // Half of a copy is none, and the next start may have room for it.
            try? disk.remove(name)
            events(.trouble(error))
        }
        return true
    }

    /// Puts a file aside as it is: there may be no room for a copy.
    func keepWhole(_ file: String, size: Int, _ events: (JournalEvent) -> Void) throws(DiskError) {
        let name = Self.prefix + file
        try disk.rename(file, to: name)
        events(.quarantined(file: name, bytes: size))
    }

    private func copy(_ bytes: Range<Int>, of source: String, to name: String) throws(DiskError) {
        let start = bytes.lowerBound & ~(disk.blockSize - 1)
        let buffer = AlignedBuffer(capacity: (bytes.upperBound - start).roundedUp(to: disk.blockSize))
        let file = try disk.open(source, isReadOnly: true)
        _ = try file.readAround(into: buffer.memory, at: start, blockSize: disk.blockSize)
        let copy = try disk.create(name, size: buffer.memory.count)
        try copy.write(buffer.bytes, at: 0)
        try copy.sync()
    }
}
