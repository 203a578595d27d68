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
    /// Bytes of what is said of the removals of a journal and month.
    private static let maxRemovals = 256 << 20

    let catalog: ArchiveCatalog
    private let storage: ObjectStorage

    init(of storage: ObjectStorage, _ selection: ArchiveCatalog.Selection, _ keys: ArchiveKeys?) throws {
        self.storage = storage
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)").path
        try Directory.create(path)
        catalog = ArchiveCatalog(root: path, selection: selection, keys: keys)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: catalog.root)
    }

    func fetchManifests() async throws {
        for _ in 1...Self.maxLooks {
            if try await fetchAll() { return }
            try clear()
        }
        throw ObjectStorageError("\(storage.description): files are merged, or go, faster than they are looked at")
    }

    /// What is there now: files were merged, or went, since the manifests were fetched.
    func fetchManifestsAgain() async throws {
        try clear()
        try await fetchManifests()
    }

    private func clear() throws {
        try FileManager.default.removeItem(atPath: catalog.root)
        try Directory.create(catalog.root)
    }

    /// - Returns: false where a manifest is gone since it was listed. What is in place of it may not have been there
    ///   then, so neither is to be missed.
    private func fetchAll() async throws -> Bool {
        for tree in [""] + ArchiveDataset.allCases.map({ "\($0.rawValue)/" }) {
            var manifests: [String] = []
            try await storage.list("\(tree)tenant=") { keys in
                // What ends so is a directory that somebody's tool has made up.
                for key in keys where !key.hasSuffix("/") && isWanted(key.dropFirst(tree.count)) {
                    let name = key.split(separator: "/").last ?? ""
                    if name.hasPrefix("_"), name.hasSuffix(".manifest.json") {
                        manifests.append(key)
                    } else {
                        try place([], at: key)
                    }
                }
            }
            for key in manifests {
                guard let (_, bytes) = try await storage.get(key, limit: ArchiveDirectory.maximumManifest) else {
                    return false
                }
                try place(bytes, at: key)
            }
        }
        // Last, since they are said before the manifests go.
        try await fetchRemovals()
        return true
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

    private func place(_ bytes: [UInt8], at key: String) throws {
        let path = "\(catalog.root)/\(key)"
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: path), withIntermediateDirectories: true)
        try Data(bytes).write(to: Foundation.URL(fileURLWithPath: path))
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

    /// Brings a file.
    func fetch(_ path: String) async throws {
        let target = "\(catalog.root)/\(path)"
        try? Directory.removeFile(target)
        let file = try AppendFile(creating: target)
        try await storage.read(path) { piece in try piece.withUnsafeBytes { try file.append($0) } }
        try file.close()
    }

    /// Brings all files that have spans.
    /// - Throws: also where one is not what its manifest says.
    func fetchMessages() async throws {
        var files: [ArchiveManifest.File] = []
        try catalog.visit { found in
            guard case .manifest(let manifest, _, _) = found, let file = manifest.files.first else { return }
            files.append(file)
        }
        for file in files { try await fetch(file) }
    }

    /// Brings a file.
    /// - Throws: also where it is not what its manifest says.
    func fetch(_ file: ArchiveManifest.File) async throws {
        try await fetch(file.path)
        guard ArchiveManifest.digits(try Digest.sha256(ofFile: "\(catalog.root)/\(file.path)")) == file.sha256
        else {
            throw ObjectStorageError("\(file.path): what the bucket has is not what its manifest says")
        }
    }

    /// It was looked at.
    func drop(_ path: String) throws {
        try Directory.removeFile("\(catalog.root)/\(path)")
    }

    /// Reads all files that the manifests speak of, each once, and keeps none.
    /// - Parameters:
    ///   - recounts: whether it is looked at what they hold; then those of one manifest are here at a time.
    ///   - finder: of names; nil where it is not looked whether filters have them.
    func measure(recounts: Bool, _ finder: SubjectFinder?) async throws -> [String: ArchiveVerification.Found] {
        var manifests: [ArchiveManifest] = []
        try catalog.visit { found in
            if case .manifest(let manifest, _, _) = found { manifests.append(manifest) }
        }
        var all: [String: ArchiveVerification.Found] = [:]
        for manifest in manifests {
            for file in manifest.allFiles {
                all[file.path] = try await measure(file, keeps: recounts)
            }
            guard recounts else { continue }
            let isWhole = manifest.files.allSatisfy { all[$0.path]?.sha256 == $0.sha256 }
            if isWhole, let first = manifest.files.first?.path {
                all[first]?.problems = try ArchiveRecount(catalog, finder).problems(of: manifest)
            }
            for file in manifest.allFiles { try? drop(file.path) }
        }
        return all
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
        } catch let error as ObjectStorageError where error.isMissing {
            return nil
        }
        try copy?.close()
        return ArchiveVerification.Found(bytes: bytes, sha256: Digest.hex(hash.finish()))
    }
}
