import Foundation

/// What a bucket has of an archive, in a temporary directory: the manifests that are asked for, and an empty file for
/// each other name. So what looks into an archive need not know where it is.
struct BucketCopy {
    /// `s3://bucket/prefix`
    struct URL {
        let bucket: String
        /// Empty, or ends with a slash.
        let prefix: String

        /// Nil where the text is something else, such as the path of a directory.
        init?(_ text: String?) {
            guard let text, text.hasPrefix("s3://") else { return nil }
            let parts = text.dropFirst("s3://".count).split(separator: "/", maxSplits: 1)
            guard let bucket = parts.first,
                let prefix = try? ObjectStorageConfiguration.prefix(
                    parts.count > 1 ? String(parts[1]) : "")
            else { return nil }
            self.bucket = String(bucket)
            self.prefix = prefix
        }
    }

    private static let maxLooks = 5
    /// Between two looks: what goes, or comes, does so for a moment.
    private static let pause = Duration.seconds(2)
    /// Bytes of what is said of the removals of a journal and day, or month.
    private static let maxRemovals = 256 << 20
    private static let trees = [""] + ArchiveDataset.allCases.map { "\($0.rawValue)/" }

    let catalog: ArchiveCatalog
    private let storage: ObjectStorage
    private let directory: PrivateDirectory

    init(of storage: ObjectStorage, _ selection: ArchiveCatalog.Selection, _ keys: ArchiveKeys?) throws {
        self.storage = storage
        directory = try PrivateDirectory()
        catalog = ArchiveCatalog(root: directory.path, selection: selection, keys: keys)
    }

    /// It has spans in clear.
    func remove() {
        directory.remove()
    }

    // MARK: Manifests

    func fetchManifests() async throws {
        try await fetchAll()
        // Last, since they are said before the manifests go.
        try await fetchRemovals()
    }

    /// What is there of a day by now: files were merged, written anew, or went, since its manifests were fetched.
    func fetchAgain(_ date: ArchiveCatalog.Date) async throws {
        try await Task.sleep(for: Self.pause)
        try await fetchAll([String(date.path.dropFirst(date.tree.count))])
        try await fetchRemovals()
    }

    /// Where a manifest is gone since it was listed, its day is looked at again: what is in place of it may not have
    /// been there then, and neither is to be missed.
    /// - Parameter dates: `tenant=…/date=…`; all where none is named.
    private func fetchAll(_ dates: [String] = []) async throws {
        var lost: Set<String> = []
        for date in dates.isEmpty ? [""] : dates { lost.formUnion(try await fetchManifests(of: date)) }
        for _ in 1..<Self.maxLooks where !lost.isEmpty {
            try await Task.sleep(for: Self.pause)
            for date in lost where try await fetchManifests(of: date).isEmpty { lost.remove(date) }
        }
        guard lost.isEmpty else {
            throw ObjectStorageError("\(storage.description): files are merged, or go, faster than they are looked at")
        }
    }

    /// Brings the manifests of a day; what is here of it that is not there any more goes.
    /// - Parameter date: `tenant=…/date=…`; empty for all, of which those that are here need not come again.
    /// - Returns: days of which a manifest went meanwhile.
    private func fetchManifests(of date: String) async throws -> Set<String> {
        var manifests: [String] = []
        var files: [String] = []
        for tree in Self.trees {
            var listed: Set<String> = []
            let start = date.isEmpty ? "tenant=" : "\(date)/"
            try await storage.list("\(tree)\(start)") { keys in
                // What ends so is a directory that somebody's tool has made up.
                for key in keys where !key.hasSuffix("/") && isWanted(key.dropFirst(tree.count)) {
                    listed.insert(key)
                    let name = Self.name(key)
                    if name.hasPrefix("_"), name.hasSuffix(".manifest.json") {
                        if !date.isEmpty || !has(key) { manifests.append(key) }
                    } else {
                        if !has(key) { try place([], at: key) }
                        if !name.hasPrefix("_") { files.append(key) }
                    }
                }
            }
            for key in try names(below: "\(tree)\(date)", in: tree) where !listed.contains(key) { try drop(key) }
        }
        var lost: Set<String> = []
        for key in manifests where try await !fetchManifest(key) { lost.insert(Self.date(of: key)) }
        try await fetchManifests(beside: files)
        return lost
    }

    /// - Returns: whether it is there.
    private func fetchManifest(_ key: String) async throws -> Bool {
        do {
            guard let (_, bytes) = try await storage.get(key, limit: ArchiveDirectory.maximumManifest) else {
                if has(key) { try drop(key) }
                return false
            }
            try place(bytes, at: key)
        } catch let error as ObjectStorageError where !error.isRetryable {
            // It is named as one that cannot be read, and ends nothing.
            try place([], at: key)
        }
        return true
    }

    /// A file that was listed before its manifest was there, as one that is being uploaded, or after it had gone.
    private func fetchManifests(beside files: [String]) async throws {
        var lonely = files.filter { !isListed($0) }
        for number in 1...2 where !lonely.isEmpty {
            if number > 1 { try await Task.sleep(for: Self.pause) }
            var left: [String] = []
            for key in lonely where try await !fetchManifest(beside: key) { left.append(key) }
            lonely = left
        }
        for key in lonely where try await storage.head(key) == nil { try drop(key) }
    }

    private func fetchManifest(beside key: String) async throws -> Bool {
        for manifest in Self.manifests(beside: key) where try await fetchManifest(manifest) { return true }
        return false
    }

    private func isListed(_ key: String) -> Bool {
        Self.manifests(beside: key).contains { has($0) }
    }

    /// Where the manifest of a file may be: those of all datasets stand beside the spans.
    private static func manifests(beside key: String) -> [String] {
        let name = ArchiveManifest.name(beside: String(name(key).prefix { $0 != "." }))
        let partition = Directory.parent(of: key)
        let spans = "\(ArchiveDataset.spans.rawValue)/"
        guard let tree = trees.first(where: { !$0.isEmpty && $0 != spans && key.hasPrefix($0) }) else {
            return ["\(partition)/\(name)"]
        }
        return ["\(spans)\(partition.dropFirst(tree.count))/\(name)", "\(partition)/\(name)"]
    }

    private static func name(_ key: String) -> Substring { key.split(separator: "/").last ?? "" }

    private static func date(of key: String) -> String {
        let parts = key.split(separator: "/").drop { !$0.hasPrefix("tenant=") }
        return parts.prefix(2).joined(separator: "/")
    }

    private func isWanted(_ key: Substring) -> Bool {
        let parts = key.split(separator: "/").map(String.init)
        // What stands in the bucket lies in this directory afterwards, and nowhere else.
        guard let tenant = parts.first, catalog.isWanted(tenant: tenant), !parts.contains(".."), !parts.contains(".")
        else {
            return false
        }
        guard parts.count == 4 else { return true }
        let day = Day(text: String(parts[1].dropFirst("date=".count)))
        return catalog.isWanted(day) && catalog.isWanted(day, hour: parts[2])
    }

    // MARK: Here

    private func has(_ key: String) -> Bool { Directory.has("\(catalog.root)/\(key)") }

    private func place(_ bytes: [UInt8], at key: String) throws {
        let path = "\(catalog.root)/\(key)"
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: path), withIntermediateDirectories: true)
        try Data(bytes).write(to: Foundation.URL(fileURLWithPath: path))
    }

    /// The files that are here, of all partitions below a directory of a tree.
    private func names(below directory: String, in tree: String) throws -> [String] {
        let start = directory.isEmpty || directory.hasSuffix("/") ? directory : "\(directory)/"
        let all = FileManager.default.enumerator(atPath: "\(catalog.root)/\(directory)")?.compactMap { $0 as? String }
        return (all ?? []).map { start + $0 }.filter { key in
            // Below no tree there are all.
            guard key.dropFirst(tree.count).hasPrefix("tenant=") else { return false }
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(catalog.root)/\(key)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }
    }

    /// It was looked at, or is not there any more.
    func drop(_ path: String) throws {
        try Directory.removeFile("\(catalog.root)/\(path)")
    }

    /// What was removed on purpose.
    private func fetchRemovals() async throws {
        var names: [String] = []
        try await storage.list(ArchiveRemovals.directory) { keys in
            names += keys.filter { key in
                let name = key.dropFirst(ArchiveRemovals.directory.count)
                return !name.contains("/") && ArchiveRemovals.isOne(name)
            }
        }
        for name in names {
            guard let (_, bytes) = try await storage.get(name, limit: Self.maxRemovals) else { continue }
            try place(bytes, at: name)
        }
    }

    // MARK: Files

    /// Brings a file.
    func fetch(_ path: String) async throws {
        let target = "\(catalog.root)/\(path)"
        try? Directory.removeFile(target)
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: target), withIntermediateDirectories: true)
        let file = try AppendFile(creating: target)
        try await storage.read(path) { piece in try piece.withUnsafeBytes { try file.append($0) } }
        try file.close()
    }

    /// Brings all files that have spans.
    /// - Throws: also where one is not what its manifest says.
    func fetchMessages() async throws {
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { dates.append($0) }
        for date in dates {
            let looks = try await catalog.looks(into: date, again: { try await fetchAgain(date) }) { found -> Bool? in
                guard case .manifest(let manifest, _, _) = found, let file = manifest.files.first else { return true }
                do {
                    try await fetch(file)
                    return true
                } catch let error where ArchiveCatalog.isGone(error) {
                    return nil
                }
            }
            for case (.manifest(let manifest, _, _), nil) in looks {
                throw ArchiveReturn.Mismatch(path: manifest.files.first?.path ?? date.path)
            }
        }
    }

    /// Brings a file.
    /// - Throws: also where it is not what its manifest says.
    func fetch(_ file: ArchiveManifest.File) async throws {
        try await fetch(file.path)
        guard ArchiveManifest.digits(try Digest.sha256(ofFile: "\(catalog.root)/\(file.path)")) == file.sha256
        else { throw ArchiveReturn.Mismatch(path: file.path) }
    }

    // MARK: Looking whether all is whole

    /// Reads all files that the manifests speak of, each once, and keeps none.
    /// - Parameters:
    ///   - recounts: whether it is looked at what they hold; then those of one manifest are here at a time.
    ///   - finder: of names; nil where it is not looked whether filters have them.
    func measure(recounts: Bool, _ finder: SubjectFinder?) async throws -> ArchiveVerification.Elsewhere {
        var all = ArchiveVerification.Elsewhere()
        try catalog.visit { found in
            guard let manifest = found.published?.manifest else { return }
            let number = manifest.parts.reduce(manifest.number) { max($0, $1.number) }
            all.last[manifest.journal] = max(all.last[manifest.journal, default: 0], number)
        }
        // What was published while names were listed was missed where the list had passed, and not in what came behind.
        try await fetchManifests()
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { dates.append($0) }
        for date in dates {
            _ = try await catalog.looks(into: date, again: { try await fetchAgain(date) }) { found -> Bool? in
                guard case .manifest(let manifest, _, _) = found else { return true }
                return try await measure(manifest, recounts: recounts, finder, &all) ? true : nil
            }
        }
        return all
    }

    /// - Returns: whether all is what the manifest says.
    private func measure(
        _ manifest: ArchiveManifest, recounts: Bool, _ finder: SubjectFinder?,
        _ all: inout ArchiveVerification.Elsewhere
    ) async throws -> Bool {
        for file in manifest.allFiles {
            all.files[file.path] = try await measure(file, keeps: recounts)
        }
        let isWhole = manifest.allFiles.allSatisfy { all.files[$0.path]?.sha256 == $0.sha256 }
        guard recounts else { return isWhole }
        if manifest.files.allSatisfy({ all.files[$0.path]?.sha256 == $0.sha256 }),
            let first = manifest.files.first?.path
        {
            all.files[first]?.problems = try ArchiveRecount(catalog, finder).problems(of: manifest)
        }
        for file in manifest.allFiles { try? drop(file.path) }
        return isWhole
    }

    /// - Parameter keeps: whether it is here afterwards, as far as it is not longer than its manifest says.
    /// - Returns: nil where the bucket does not have it.
    private func measure(
        _ file: ArchiveManifest.File, keeps: Bool
    ) async throws -> ArchiveVerification.Found? {
        guard let hash = Digest.Running() else { throw FileError.noMemory(file.path) }
        let target = "\(catalog.root)/\(file.path)"
        if keeps {
            try FileManager.default.createDirectory(
                atPath: Directory.parent(of: target), withIntermediateDirectories: true)
            try? Directory.removeFile(target)
        }
        let copy = keeps ? try AppendFile(creating: target) : nil
        var bytes = 0
        do {
            try await storage.read(file.path) { piece in
                bytes += piece.count
                hash.append(piece)
                if bytes <= file.bytes { try piece.withUnsafeBytes { try copy?.append($0) } }
            }
        } catch let error as ObjectStorageError where error.isMissing || error.isConflict {
            return nil
        }
        try copy?.close()
        return ArchiveVerification.Found(bytes: bytes, sha256: Digest.hex(hash.finish()))
    }
}
