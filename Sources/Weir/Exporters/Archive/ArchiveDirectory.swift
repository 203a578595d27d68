/// The archive on disk: partitions that readers see, and beside them `.open`, where files are written.
struct ArchiveDirectory {
    /// Names in `.open` that are counted at the start.
    static let maximumLeftovers = 100_000

    let root: String
    var open: String { "\(root)/.open" }

    /// Creates what is missing.
    init(_ root: String) throws(FileError) {
        self.root = root
        try Directory.create(open)
    }

    /// Files that nobody published: an earlier run's, if it was killed, or another process's.
    func leftovers() throws(FileError) -> Int {
        try Directory.names(in: open, limit: Self.maximumLeftovers).count
    }

    /// Until it is published, a file has a suffix that no reader's pattern ends with.
    /// - Parameter name: one that no file had before.
    func begin(_ name: String, in partition: ArchivePartition) throws(FileError) -> ArchiveFile {
        // Somebody may have tidied up while no file was open.
        try Directory.create(open)
        return ArchiveFile(partition: partition, name: name, file: try AppendFile(creating: "\(open)/\(name).open"))
    }

    /// Lets readers see a file that is complete and synced. Never in place of another file.
    /// - Returns: where it is now.
    func publish(_ file: ArchiveFile) throws(FileError) -> String {
        let directory = "\(root)/\(file.partition.path)"
        try Directory.create(directory)
        let path = "\(directory)/\(file.name)"
        try file.file.rename(to: path)
        return path
    }

    /// Returns when a power cut cannot take the names of the partition's files any more.
    func sync(_ partition: ArchivePartition) throws(FileError) {
        try Directory.sync("\(root)/\(partition.path)")
    }
}
