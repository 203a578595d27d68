/// The archive on disk, for the records of one journal: partitions that readers see, and beside them `.open`, where
/// files are written, a directory for each journal.
struct ArchiveDirectory {
    let root: String
    let journal: JournalID
    /// Where in it the partitions are; see ``ArchiveFormat/tree``.
    let tree: String
    private static let trees = Set(ArchiveFormat.allCases.map(\.tree))
    var chain: ArchiveChain
    private let lock: FileLock
    /// Directories above partitions whose names a power cut cannot take. Forgotten now and then, to stay few.
    private var durable: Set<String> = []

    /// Creates what is missing of an archive.
    static func create(_ root: String) throws(FileError) {
        try Directory.create("\(root)/.open")
    }

    /// - Returns: nil if another exporter writes records of this journal here.
    init?(_ root: String, for journal: JournalID, tree: String = "") throws(FileError) {
        self.root = root
        self.journal = journal
        self.tree = tree
        let open = "\(root)/.open/\(journal.text)"
        try Directory.create(open)
        guard let lock = try FileLock.take(open) else { return nil }
        self.lock = lock
        chain = try ArchiveChain(in: root, of: journal)
    }

    var open: String { "\(root)/.open/\(journal.text)" }

    /// Completes what an earlier run has published in part, and removes all else that it left: the records of that are
    /// still in the journal and come again.
    /// - Returns: how many files were removed that readers never saw.
    mutating func clearLeftovers() throws(FileError) -> Int {
        try complete(try Directory.names(in: open))
        let names = try Directory.names(in: open)
        for name in names { try Directory.removeFile("\(open)/\(name)") }
        return names.filter { !$0.hasSuffix(Self.manifestSuffix) && !$0.hasSuffix(Self.bloomDraft) }.count
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
    /// - Parameters:
    ///   - name: one that no file of this run had before.
    ///   - key: that it is sealed with; nil where it is not.
    func begin(_ name: String, _ key: DataKey? = nil) throws(FileError) -> AppendFile {
        // Somebody may have tidied up while no file was open.
        try Directory.create(open)
        let path = "\(open)/\(name).open"
        return try AppendFile(creating: path, try key?.seal(path))
    }

    /// Returns when a power cut cannot take the names of the partition's files any more, nor its own: it was created
    /// by a process that may have died before it could see to that.
    mutating func sync(_ directory: String) throws(FileError) {
        var path = directory
        try Directory.sync(path)
        if durable.count > 10_000 { durable = [] }
        while path != root {
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            if durable.contains(path) { continue }
            try Directory.sync(path)
            durable.insert(path)
        }
    }

    /// The records that the partition's published files hold, of whatever format, as ranges, unsorted; only those that
    /// end at `floor` or above. After a power cut they still do.
    mutating func sequences(
        in partition: ArchivePartition, from floor: UInt64
    ) throws(FileError) -> [ClosedRange<UInt64>] {
        var found: [ClosedRange<UInt64>] = []
        for tree in Self.trees {
            do {
                let path = "\(root)/\(tree)\(partition.path)"
                // A file of a process that died need not be there after a power cut, until this.
                try sync(path)
                try Directory.visit(path) { name in
                    if let sequences = ArchiveName.sequences(in: name, of: journal) { found.append(sequences) }
                }
            } catch {
                guard error.isMissing else { throw error }
            }
            // What was merged meanwhile is there by now.
            found += try mergedSequences(of: partition, in: tree)
        }
        return found.filter { $0.upperBound >= floor }
    }

    /// The records that merged files hold of a partition.
    private func mergedSequences(
        of partition: ArchivePartition, in tree: String
    ) throws(FileError) -> [ClosedRange<UInt64>] {
        let directory = "\(root)/\(tree)\(partition.mergedPath)"
        while Directory.has(directory) {
            var found: [ClosedRange<UInt64>] = []
            do throws(FileError) {
                for name in try Directory.names(in: directory)
                where name.hasPrefix("_") && name.hasSuffix(".json") && name.contains(journal.text) {
                    let bytes = try FileReader.contents(of: "\(directory)/\(name)", limit: Self.maximumManifest)
                    guard let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }) else {
                        throw .damaged("\(directory)/\(name)")
                    }
                    // Long names of tenants may share a directory.
                    guard manifest.journal == journal.text, manifest.tenant == partition.tenant else { continue }
                    found += manifest.parts.filter { $0.hour == partition.hour % 24 }.map(\.spans.sequences)
                }
                return found
            } catch {
                // One that went since the names were read was merged again, into one that may not be among them.
                guard error.isMissing else { throw error }
            }
        }
        return []
    }

    /// Leaves no empty directory behind.
    func close() {
        try? Directory.remove(open)
    }
}
