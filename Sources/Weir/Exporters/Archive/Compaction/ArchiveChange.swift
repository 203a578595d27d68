/// Changes published files of an archive, beside whoever publishes more; one process at a time.
///
/// What is to be done is written down before, as a draft of the new manifest, and whoever comes after a crash does the
/// rest. A reader who goes by manifests finds every row once, at any moment: a new file takes the old one's name at
/// once, or its manifest says which ones it supersedes, and only then are those removed.
struct ArchiveChange {
    /// Beside `.open`; readers see nothing of it.
    private static let directory = ".erasing"
    /// A file without what was erased, that takes another's name.
    private static let replacing = ".manifest.json"
    /// A file with what others have, under a name of its own.
    private static let merging = ".merged.json"

    let root: String
    private let lock: FileLock
    private var work: String { "\(root)/\(Self.directory)" }

    /// Completes what a process that died had begun.
    /// - Parameter waits: for another process that changes files here, rather than giving nil.
    init?(_ root: String, waits: Bool = false) throws {
        self.root = root
        try Directory.create("\(root)/\(Self.directory)")
        guard let lock = try FileLock.take("\(root)/\(Self.directory)", waits: waits) else { return nil }
        self.lock = lock
        for name in try Directory.names(in: work).sorted() {
            if name.hasSuffix(Self.replacing) { try completeReplacement("\(work)/\(name)") }
            if name.hasSuffix(Self.merging) { try completeMerge("\(work)/\(name)") }
        }
        for name in try Directory.names(in: work) { try Directory.removeFile("\(work)/\(name)") }
    }

    /// What the new files are called until they are published, followed by `.0` and so on.
    func stem(of manifest: ArchiveManifest) throws(FileError) -> String {
        // What a manifest calls its journal becomes a name.
        guard UInt64(manifest.journal, radix: 16) != nil else { throw .damaged(manifest.files.first?.path ?? root) }
        return "\(work)/\(manifest.journal)-\(manifest.number)"
    }

    /// New files that nothing comes of.
    func forget(_ stem: String) {
        for index in 0...ArchiveDataset.allCases.count { try? Directory.removeFile("\(stem).\(index)") }
    }

    /// The files take the names that the manifest gives them, from those that have them, and so does the manifest.
    func replace(with manifest: ArchiveManifest) throws {
        let manifest = manifest.fitting
        let draft = try stem(of: manifest) + Self.replacing
        try Directory.replace(draft, with: manifest.bytes)
        try completeReplacement(draft)
    }

    /// The files are published under names that no others have; what they supersede goes.
    func merge(into manifest: ArchiveManifest) throws {
        let manifest = manifest.fitting
        let draft = try stem(of: manifest) + Self.merging
        try Directory.replace(draft, with: manifest.bytes)
        try completeMerge(draft)
    }

    /// Files go for good, those too that only a bucket has; that they did is written down first.
    /// - Parameter path: of the manifest, from the archive's directory on.
    func remove(
        _ manifest: ArchiveManifest, _ path: String, _ bytes: [UInt8], _ reason: ArchiveRemovals.Reason,
        at now: Timestamp
    ) throws(FileError) {
        try ArchiveRemovals.append(manifest, ArchiveManifest.hash(bytes), reason, at: now, in: root)
        try remove(manifest, bytes, "\(root)/\(path)")
        let partition = Directory.parent(of: "\(root)/\(path)")
        try Directory.sync(partition)
        try? Directory.remove(partition)
        try? Directory.remove(Directory.parent(of: partition))
    }

    /// What is about to be published; a bucket is to have it too.
    private func read(_ draft: String) throws(FileError) -> ArchiveManifest {
        let bytes = try FileReader.contents(of: draft, limit: ArchiveDirectory.maximumManifest)
        guard let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }) else { throw .damaged(draft) }
        try ArchiveOutbox(of: root)?.add(manifest, bytes)
        return manifest
    }

    /// May be done again.
    private func nameFiles(of manifest: ArchiveManifest, _ stem: String) throws(FileError) {
        for (index, file) in manifest.allFiles.enumerated() where Directory.has("\(stem).\(index)") {
            let partition = Directory.parent(of: "\(root)/\(file.path)")
            try Directory.create(partition)
            try Directory.move("\(stem).\(index)", to: "\(root)/\(file.path)")
            try Directory.sync(partition)
        }
    }

    /// May be done again.
    private func completeReplacement(_ draft: String) throws(FileError) {
        let manifest = try read(draft)
        try nameFiles(of: manifest, String(draft.dropLast(Self.replacing.count)))
        let place = "\(root)/\(manifest.manifestPath)"
        try Directory.move(draft, to: place)
        try Directory.sync(Directory.parent(of: place))
        try Directory.sync(work)
    }

    /// May be done again.
    private func completeMerge(_ draft: String) throws(FileError) {
        let manifest = try read(draft)
        try nameFiles(of: manifest, String(draft.dropLast(Self.merging.count)))
        let place = "\(root)/\(manifest.manifestPath)"
        // From here on readers take this file, and not those that it supersedes.
        if !Directory.has(place) { try Directory.link(draft, as: place) }
        let merged = Directory.parent(of: place)
        try Directory.sync(merged)
        try removeSuperseded(by: manifest, of: Directory.parent(of: merged))
        try Directory.removeFile(draft)
        try Directory.sync(work)
    }

    /// - Parameter date: a directory of partitions.
    private func removeSuperseded(by manifest: ArchiveManifest, of date: String) throws(FileError) {
        let superseded = Set(manifest.supersedes)
        for hour in try Directory.names(in: date) where hour.hasPrefix("hour=") {
            let partition = "\(date)/\(hour)"
            var isChanged = false
            for name in try Directory.names(in: partition)
            where name.hasPrefix("_") && name.hasSuffix(".manifest.json") {
                let path = "\(partition)/\(name)"
                let bytes: [UInt8]
                do throws(FileError) {
                    bytes = try FileReader.contents(of: path, limit: ArchiveDirectory.maximumManifest)
                } catch {
                    // Another's that cannot be read is in nobody's way.
                    guard Self.mayBe(name, in: hour, aPartOf: manifest) else { continue }
                    throw error
                }
                guard superseded.contains(ArchiveManifest.hash(bytes)),
                    let old = bytes.withUnsafeBytes({ ArchiveManifest($0) })
                else { continue }
                try remove(old, bytes, path)
                isChanged = true
            }
            guard isChanged else { continue }
            try Directory.sync(partition)
            // Where others are published in it, it stays.
            try? Directory.remove(partition)
        }
    }

    /// Whether a merged file may have what a manifest of this name speaks of.
    private static func mayBe(_ name: String, in hour: String, aPartOf manifest: ArchiveManifest) -> Bool {
        guard let journal = UInt64(manifest.journal, radix: 16).map({ JournalID(value: $0) }),
            let own = ArchiveName.sequences(in: String(name.dropFirst()), of: journal)
        else { return false }
        return manifest.parts.contains { part in
            (hour == ArchivePartition.merged || hour == "hour=\(part.hour.digits(2))")
                && part.spans.sequences.overlaps(own)
        }
    }

    /// The manifest goes last, so that who comes after a crash knows what is left to remove.
    private func remove(_ manifest: ArchiveManifest, _ bytes: [UInt8], _ path: String) throws(FileError) {
        try ArchiveOutbox(of: root)?.remove(manifest, bytes)
        for file in manifest.allFiles {
            do throws(FileError) {
                try Directory.removeFile("\(root)/\(file.path)")
                // Of Parquet's other rows, the directories that are empty now.
                let partition = Directory.parent(of: "\(root)/\(file.path)")
                try? Directory.remove(partition)
                try? Directory.remove(Directory.parent(of: partition))
            } catch {
                guard error.isMissing else { throw error }
            }
        }
        try Directory.removeFile(path)
    }
}
