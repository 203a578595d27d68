/// The archive on disk, for the records of one journal: partitions that readers see, and beside them `.open`, where
/// files are written, a directory for each journal.
struct ArchiveDirectory {
    let root: String
    let journal: JournalID
    private let lock: FileLock
    /// Directories above partitions whose names a power cut cannot take. Forgotten now and then, to stay few.
    private var durable: Set<String> = []

    /// Creates what is missing of an archive.
    static func create(_ root: String) throws(FileError) {
        try Directory.create("\(root)/.open")
    }

    /// - Returns: nil if another exporter writes records of this journal here.
    init?(_ root: String, for journal: JournalID) throws(FileError) {
        self.root = root
        self.journal = journal
        let open = "\(root)/.open/\(journal.text)"
        try Directory.create(open)
        guard let lock = try FileLock.take(open) else { return nil }
        self.lock = lock
    }

    private var open: String { "\(root)/.open/\(journal.text)" }

    /// Removes what an earlier run has left. A file that it published has another name beside; the records of any other
    /// are still in the journal and come again.
    /// - Returns: how many files.
    func removeLeftovers() throws(FileError) -> Int {
        let names = try Directory.names(in: open)
        for name in names { try Directory.removeFile("\(open)/\(name)") }
        return names.count
    }

    /// Files in `.open` that are not this journal's.
    func foreignFiles() throws(FileError) -> Int {
        var count = 0
        for name in try Directory.names(in: "\(root)/.open") where name != journal.text {
            do throws(FileError) {
                try Directory.visit("\(root)/.open/\(name)") { _ in count += 1 }
            } catch {
                // What is no directory is a file; what is gone was one a moment ago.
                if !error.isMissing { count += 1 }
            }
        }
        return count
    }

    /// Until it is published, a file has a suffix that no reader's pattern ends with.
    /// - Parameter name: one that no file of this run had before.
    func begin(_ name: String) throws(FileError) -> AppendFile {
        // Somebody may have tidied up while no file was open.
        try Directory.create(open)
        return try AppendFile(creating: "\(open)/\(name).open")
    }

    /// Lets readers see a file that is sealed. Never in place of another file.
    func publish(_ file: ArchiveFile, as name: String) throws(FileError) {
        let directory = "\(root)/\(file.partition.path)"
        try Directory.create(directory)
        try file.publish(as: "\(directory)/\(name)")
    }

    /// Returns when a power cut cannot take the names of the partition's files any more, nor its own: it was created
    /// by a process that may have died before it could see to that.
    mutating func sync(_ partition: ArchivePartition) throws(FileError) {
        var path = "\(root)/\(partition.path)"
        try Directory.sync(path)
        if durable.count > 10_000 { durable = [] }
        while path != root {
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            if durable.contains(path) { continue }
            try Directory.sync(path)
            durable.insert(path)
        }
    }

    /// The records that the partition's published files hold, as ranges, unsorted; only those that end at `floor` or
    /// above. After a power cut they still do.
    mutating func sequences(in partition: ArchivePartition, from floor: UInt64) throws(FileError) -> [ClosedRange<
        UInt64
    >] {
        var found: [ClosedRange<UInt64>] = []
        do {
            // A file of a process that died need not be there after a power cut, until this.
            try sync(partition)
            try Directory.visit("\(root)/\(partition.path)") { name in
                guard let sequences = ArchiveName.sequences(in: name, of: journal) else { return }
                if sequences.upperBound >= floor { found.append(sequences) }
            }
        } catch  where error.isMissing {
            return []
        }
        return found
    }

    /// Leaves no empty directory behind.
    func close() {
        try? Directory.remove(open)
    }
}
