/// Brings files back that only the bucket has, for who has to look into them or to change them. They go again as they
/// went before.
///
/// Whoever runs it holds the lock of ``ArchiveChange``, so that nothing goes meanwhile.
struct ArchiveReturn {
    /// There are files that are in the bucket only, and the archive has none any more.
    struct NoBucket: Error, CustomStringConvertible {
        let directory: String
        var description: String {
            "\(directory): some files are in a bucket only, and object_storage does not say which"
        }
    }

    /// The files would take room that others need.
    struct NoRoom: Error, CustomStringConvertible {
        let directory: String
        let needed: Int
        let free: Int
        var description: String {
            "\(directory): found room for \(ByteCount(max(0, free))), wanted \(ByteCount(needed)) for files that only "
                + "the bucket has"
        }
    }

    struct Mismatch: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path): what the bucket has is not what its manifest says" }
    }

    private let outbox: ArchiveOutbox
    private let bucket: ObjectStorageConfiguration?

    /// Nil where the archive never had a bucket.
    init?(to root: String, from bucket: ObjectStorageConfiguration?) {
        guard let outbox = ArchiveOutbox(of: root) else { return nil }
        self.outbox = outbox
        self.bucket = bucket
    }

    private var draft: String { "\(outbox.path)/returning" }

    /// May be done again, after whatever ended it.
    ///
    /// Which files are away say their manifests, and not the list of them: a crash may have come between the two.
    /// - Parameters:
    ///   - day: that they stand on; nil is any.
    ///   - reserve: bytes of the disk that are to stay free.
    ///   - isWanted: asked of those of the tenant.
    func run(
        tenant: String, on day: Day? = nil, leaving reserve: Int = 0,
        where isWanted: (ArchiveManifest) -> Bool = { _ in true }
    ) async throws {
        // What one that died had read may be somebody's who was erased since.
        if Directory.has(draft) { try Directory.removeFile(draft) }
        var found: [(manifest: ArchiveManifest, bytes: [UInt8])] = []
        let selection = ArchiveCatalog.Selection(
            tenant: tenant, from: day?.start, to: day.map { Timestamp(nanoseconds: $0.times.upperBound) })
        try ArchiveCatalog(root: outbox.root, selection: selection).visit { entry in
            guard case .away(let manifest, _, let bytes) = entry, manifest.tenant == tenant, isWanted(manifest) else {
                return
            }
            found.append((manifest, bytes))
        }
        guard !found.isEmpty else { return }
        guard let bucket else { throw NoBucket(directory: outbox.root) }
        let sizes = found.flatMap(\.manifest.files).filter { !Directory.has("\(outbox.root)/\($0.path)") }.map(\.bytes)
        // What is written anew is there twice for a while.
        let needed = sizes.reduce(0, +) + (sizes.max() ?? 0)
        let free = try JournalDirectory(reading: outbox.root).freeBytes() - reserve
        guard needed <= free else { throw NoRoom(directory: outbox.root, needed: needed, free: free) }
        let storage = try ObjectStorage(bucket)
        do {
            for (manifest, bytes) in found { try await bring(manifest, bytes, from: storage) }
        } catch {
            await storage.shutDown()
            throw error
        }
        await storage.shutDown()
    }

    private func bring(_ manifest: ArchiveManifest, _ bytes: [UInt8], from storage: ObjectStorage) async throws {
        for file in manifest.files { try await bring(file, from: storage) }
        // First, so that they go again whatever happens now.
        try outbox.takeBack(manifest, bytes)
        let place = "\(outbox.root)/\(manifest.manifestPath)"
        try Directory.move("\(outbox.root)/\(manifest.uploadedPath)", to: place)
        try Directory.sync(Directory.parent(of: place))
    }

    private func bring(_ file: ArchiveManifest.File, from storage: ObjectStorage) async throws {
        let target = "\(outbox.root)/\(file.path)"
        guard !Directory.has(target) else { return }
        if Directory.has(draft) { try Directory.removeFile(draft) }
        let new = try AppendFile(creating: draft)
        var count = 0
        try await storage.read(file.path) { piece in
            count += piece.count
            guard count <= file.bytes else { throw Mismatch(path: file.path) }
            try piece.withUnsafeBytes { try new.append($0) }
        }
        try new.sync()
        try new.close()
        guard ArchiveManifest.digits(try Digest.sha256(ofFile: draft)) == file.sha256 else {
            throw Mismatch(path: file.path)
        }
        // It may have gone with the last file in it.
        try Directory.create(Directory.parent(of: target))
        try Directory.move(draft, to: target)
        try Directory.sync(Directory.parent(of: target))
    }
}
