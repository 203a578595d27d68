/// Knows which records stand in published files already, from the names of the files. Asked only about records that an
/// earlier run may have exported, and about a partition not before one of them has spans there, so that no start walks
/// through the whole archive.
struct PublishedRecords {
    private var directory: ArchiveDirectory
    /// No record below it was asked about.
    private var floor = UInt64.max
    private var sequences: [ArchivePartition: [ClosedRange<UInt64>]] = [:]

    init(in directory: ArchiveDirectory) {
        self.directory = directory
    }

    /// - Parameter recovered: the last record that an earlier run may have exported.
    /// - Returns: nil if the record's spans of this partition are in a published file; else a sequence from which on,
    ///   up to this record, no file of an earlier run holds any.
    mutating func gap(
        at sequence: UInt64, in partition: ArchivePartition, recovered: UInt64
    ) throws(FileError) -> UInt64? {
        guard sequence <= recovered else {
            sequences = [:]
            return recovered + 1
        }
        if sequence < floor {
            floor = sequence
            sequences = [:]
        }
        var gap: UInt64 = 0
        for range in try sequences(in: partition) where range.lowerBound <= sequence {
            if range.contains(sequence) { return nil }
            gap = max(gap, range.upperBound + 1)
        }
        return gap
    }

    private mutating func sequences(in partition: ArchivePartition) throws(FileError) -> [ClosedRange<UInt64>] {
        if let known = sequences[partition] { return known }
        let found = try directory.sequences(in: partition, from: floor)
        sequences[partition] = found
        return found
    }
}
