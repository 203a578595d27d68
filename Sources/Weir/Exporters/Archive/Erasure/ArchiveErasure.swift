/// Looks for the spans of subjects in the files of an archive, and writes the files that have some anew without them,
/// beside whoever publishes more.
///
/// A new file takes the old one's name at once, and never does a reader see both or neither. What is to be moved is
/// written down before, in a draft of the new manifest, so that whoever comes after a crash does the rest. The new
/// manifest has the number of the old one, and says in `supersedes` which one that was.
struct ArchiveErasure {
    struct Erased: Equatable, Sendable {
        var spans = 0
        var rewritten: [ErasureEntry.Rewritten] = []
    }

    /// Beside `.open`; readers see nothing of it.
    private static let directory = ".erasing"
    private static let suffix = ".manifest.json"

    let root: String
    private let lock: FileLock
    private var work: String { "\(root)/\(Self.directory)" }

    /// Completes what a process that died had begun.
    /// - Returns: nil where another process erases here.
    init?(_ root: String) throws {
        self.root = root
        try Directory.create("\(root)/\(Self.directory)")
        guard let lock = try FileLock.take("\(root)/\(Self.directory)") else { return nil }
        self.lock = lock
        try recover()
    }

    /// The traces that subjects have spans in.
    func traces(of matcher: SubjectMatcher) throws -> Set<TraceID> {
        var traces: Set<TraceID> = []
        try visit(matcher) { manifest, _, _ in
            traces.formUnion(try reader(manifest, matcher).traces())
        }
        return traces
    }

    /// - Parameter traces: all of the subjects' traces.
    func erase(_ matcher: SubjectMatcher, traces: Set<TraceID>, at now: Timestamp) throws -> Erased {
        var erased = Erased()
        try visit(matcher) { manifest, path, bytes in
            let reader = reader(manifest, matcher)
            guard try reader.hasSpans(of: traces) else { return }
            let old = ArchiveManifest.digits(Digest.sha256(bytes))
            let stem = "\(work)/\(manifest.journal)-\(manifest.number)"
            let parts = try reader.rewrite(to: stem, without: traces)
            guard let spans = parts.first else { return }
            let files = zip(manifest.files, parts).map { file, part in
                ArchiveManifest.File(
                    path: file.path, dataset: file.dataset, rows: part.rows, bytes: part.bytes, sha256: part.sha256)
            }
            let new = ArchiveManifest(
                number: manifest.number, previous: manifest.previous, journal: manifest.journal,
                tenant: manifest.tenant, format: manifest.format, compression: manifest.compression,
                spans: spans.spans, created: now.text, files: files, supersedes: manifest.supersedes + [old])
            try Directory.replace(stem + Self.suffix, with: new.bytes)
            try complete(stem + Self.suffix)
            erased.spans += manifest.spans.spans - spans.spans.spans
            for (before, after) in zip(manifest.files, files) {
                erased.rewritten.append(.init(before: before.sha256, after: after.sha256))
            }
        }
        return erased
    }

    private func visit(
        _ matcher: SubjectMatcher, _ body: (ArchiveManifest, _ path: String, _ bytes: [UInt8]) throws -> Void
    ) throws {
        let tenant = matcher.group.tenant
        let catalog = ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection(tenant: tenant))
        try catalog.visit { found in
            // The directory's name may be that of several tenants, where names are long. The journal becomes a name.
            if case .manifest(let manifest, let path, let bytes) = found, manifest.tenant == tenant,
                UInt64(manifest.journal, radix: 16) != nil
            {
                try body(manifest, path, bytes)
            }
        }
    }

    private func reader(_ manifest: ArchiveManifest, _ matcher: SubjectMatcher) -> any ArchivedErasure {
        if manifest.format == .parquet { return ParquetErasure(root, manifest, matcher) }
        return OTLPErasure(root, manifest, matcher)
    }

    // MARK: Steps

    /// Gives the new files their names, and the manifest's last. May be done again.
    private func complete(_ draft: String) throws(FileError) {
        let bytes = try FileReader.contents(of: draft, limit: ArchiveDirectory.maximumManifest)
        guard let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }), let first = manifest.files.first else {
            throw .damaged(draft)
        }
        let stem = draft.dropLast(Self.suffix.count)
        for (index, file) in manifest.files.enumerated() where Directory.has("\(stem).\(index)") {
            try Directory.move("\(stem).\(index)", to: "\(root)/\(file.path)")
            try Directory.sync(Directory.parent(of: "\(root)/\(file.path)"))
        }
        let partition = Directory.parent(of: "\(root)/\(first.path)")
        let name = first.path.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
        try Directory.move(draft, to: "\(partition)/\(ArchiveManifest.name(beside: String(name)))")
        try Directory.sync(partition)
        try Directory.sync(work)
    }

    private func recover() throws(FileError) {
        for name in try Directory.names(in: work).sorted() where name.hasSuffix(Self.suffix) {
            try complete("\(work)/\(name)")
        }
        for name in try Directory.names(in: work) { try Directory.removeFile("\(work)/\(name)") }
    }
}

/// What a manifest speaks of, from which spans are to be erased.
protocol ArchivedErasure {
    /// The traces that subjects have spans in.
    func traces() throws -> Set<TraceID>
    /// Whether something of it has to go.
    /// - Parameter traces: all of the subjects' traces.
    func hasSpans(of traces: Set<TraceID>) throws -> Bool
    /// Writes what is left of each file, as `STEM.0` and so on; the new files are synced.
    func rewrite(to stem: String, without traces: Set<TraceID>) throws -> [ArchiveErasedFile]
}

/// What a file of an archive became.
struct ArchiveErasedFile {
    let spans: ArchivedSpans
    let rows: Int
    let bytes: Int
    /// Hexadecimal digits.
    let sha256: String

    /// - Parameter file: complete.
    init(_ spans: ArchivedSpans, rows: Int, _ file: AppendFile) throws(FileError) {
        try file.sync()
        try file.close()
        self.spans = spans
        self.rows = rows
        bytes = file.end.length
        sha256 = ArchiveManifest.digits(try Digest.sha256(ofFile: file.path))
    }
}
