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

    private let outbox: ArchiveOutbox
    private let bucket: ObjectStorageConfiguration?

    /// Nil where the archive never had a bucket.
    init?(to root: String, from bucket: ObjectStorageConfiguration?) {
        guard let outbox = ArchiveOutbox(of: root) else { return nil }
        self.outbox = outbox
        self.bucket = bucket
    }

    /// May be done again, after whatever ended it.
    /// - Parameter isWanted: asked of those of the tenant.
    func run(tenant: String, where isWanted: (ArchiveManifest) -> Bool = { _ in true }) async throws {
        var storage: ObjectStorage?
        for name in try Directory.names(in: outbox.away).sorted() {
            guard let (manifest, _) = try outbox.manifest("away/\(name)"), manifest.tenant == tenant, isWanted(manifest)
            else { continue }
            guard let bucket else { throw NoBucket(directory: outbox.root) }
            let source = try storage ?? ObjectStorage(bucket)
            storage = source
            for file in manifest.files { try await bring(file, from: source) }
            let place = "\(outbox.root)/\(manifest.manifestPath)"
            if Directory.has("\(outbox.root)/\(manifest.uploadedPath)") {
                try Directory.move("\(outbox.root)/\(manifest.uploadedPath)", to: place)
                try Directory.sync(Directory.parent(of: place))
            }
            try Directory.move("\(outbox.away)/\(name)", to: "\(outbox.done)/\(name)")
        }
        await storage?.shutDown()
    }

    private func bring(_ file: ArchiveManifest.File, from storage: ObjectStorage) async throws {
        let (target, draft) = ("\(outbox.root)/\(file.path)", "\(outbox.path)/returning")
        guard !Directory.has(target) else { return }
        if Directory.has(draft) { try Directory.removeFile(draft) }
        let new = try AppendFile(creating: draft)
        try await storage.read(file.path) { piece in try piece.withUnsafeBytes { try new.append($0) } }
        try new.sync()
        try new.close()
        guard ArchiveManifest.digits(try Digest.sha256(ofFile: draft)) == file.sha256 else {
            throw ObjectStorageError("\(file.path): what the bucket has is not what its manifest says")
        }
        try Directory.move(draft, to: target)
        try Directory.sync(Directory.parent(of: target))
    }
}
