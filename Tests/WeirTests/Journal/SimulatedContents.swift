@testable import Weir

/// What a file of a ``SimulatedDisk`` holds: for those who read it, and after a power cut.
struct SimulatedContents {
    /// What a disk writes as a whole or not at all, in bytes.
    static let sector = 512

    private(set) var size: Int
    /// As far as something was written; zeros follow up to `size`.
    private var current = SimulatedBytes()
    /// Likewise, what a power cut leaves.
    private var durable = SimulatedBytes()
    /// In the order they were made.
    private var unsynced: [(offset: Int, bytes: [UInt8])] = []
    /// Before the first sync nobody knows how long the file is after a power cut.
    private var isSizeDurable = false
    /// Sectors that cannot be read until they are written.
    private var spoiled: Set<Int> = []

    /// A file of zeros.
    init(size: Int) {
        self.size = size
    }

    /// All bytes, as if they had been there for ever.
    var bytes: [UInt8] {
        get { current.copy(from: 0, count: size) }
        set {
            size = newValue.count
            current = SimulatedBytes(newValue)
            durable = current
            unsynced = []
            isSizeDurable = true
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        let count = min(buffer.count, max(0, size - offset))
        current.copy(from: offset, to: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(count)))
        return count
    }

    mutating func spoil(_ sectors: Range<Int>) { spoiled.formUnion(sectors) }

    func isSpoiled(_ bytes: Range<Int>) -> Bool {
        spoiled.contains { bytes.overlaps($0 * Self.sector..<($0 + 1) * Self.sector) }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        spoiled.subtract(offset / Self.sector..<(offset + bytes.count + Self.sector - 1) / Self.sector)
        current.put(bytes, at: offset)
        unsynced.append((offset, Array(bytes)))
    }

    /// A write that fails: some sectors are written.
    mutating func writeSome(_ bytes: UnsafeRawBufferPointer, at offset: Int, random: inout SplitMix64) {
        Self.someSectors(of: bytes, at: offset, percent: Self.percent(&random), &random) { write($0, at: $1) }
    }

    mutating func sync() {
        for (offset, bytes) in unsynced { bytes.withUnsafeBytes { durable.put($0, at: offset) } }
        unsynced = []
        isSizeDurable = true
    }

    /// A sync that fails. What it did not bring to the disk is taken for written and never gets there; whoever reads
    /// the file sees it nonetheless.
    mutating func failSync(random: inout SplitMix64) {
        durable = survivors(percent: Self.percent(&random), &random)
        unsynced = []
    }

    /// What is there after a power cut.
    /// - Parameter percent: how many of the sectors not synced survive.
    func afterCrash(percent: Int, random: inout SplitMix64) -> SimulatedContents {
        var rest = SimulatedContents(size: isSizeDurable || random.chance(percent) ? size : 0)
        rest.current = rest.size == 0 ? SimulatedBytes() : survivors(percent: percent, &random)
        rest.durable = rest.current
        rest.isSizeDurable = true
        rest.spoiled = spoiled
        return rest
    }

    /// All or none of the sectors is as likely as a mixture.
    static func percent(_ random: inout SplitMix64) -> Int {
        random.pick([0, 10, 50, 90, 100])
    }

    private func survivors(percent: Int, _ random: inout SplitMix64) -> SimulatedBytes {
        var rest = durable
        for (offset, bytes) in unsynced {
            bytes.withUnsafeBytes { bytes in
                Self.someSectors(of: bytes, at: offset, percent: percent, &random) { rest.put($0, at: $1) }
            }
        }
        return rest
    }

    private static func someSectors(
        of bytes: UnsafeRawBufferPointer, at offset: Int, percent: Int, _ random: inout SplitMix64,
        do body: (UnsafeRawBufferPointer, Int) -> Void
    ) {
        for start in stride(from: 0, to: bytes.count, by: sector) where random.chance(percent) {
            body(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + sector, bytes.count)]), offset + start)
        }
    }
}
