// A publication is a name for each file, and the manifest's last. The manifest is written before the first of them, and
// stands in `.open` until all is done: with it, whoever finds the first file in place can do the rest.
extension ArchiveDirectory {
    /// What a manifest says of how long its files are kept, and what stands beside it is sealed with.
    struct Rules {
        var dates: ArchiveDates?
        var holds: [String] = []
        /// What the filters are sealed with; nil where files are not.
        var key: DataKey?
        /// What found the names in them; nil where nobody can be erased.
        var finder: SubjectFinder?
    }

    /// What the manifest of a publication that is not complete ends in.
    static let manifestSuffix = ".manifest.json.open"

    /// What the filter of one ends in.
    static let bloomDraft = ".bloom.open"

    /// Bytes of a manifest, also of one with many parts.
    static let maximumManifest = 4 << 20

    static func suffix(of dataset: ArchiveDataset) -> String {
        dataset == .spans ? ".parquet" : ".\(dataset.rawValue).parquet"
    }

    /// Lets readers see the first of the files, which are sealed. Never in place of another file.
    /// - Parameter name: of the files, without what they end in.
    mutating func publish(
        _ file: ArchiveFile, as name: String, _ format: ArchiveFormat, _ compression: Compression,
        _ rules: Rules, at now: Timestamp
    ) throws(FileError) {
        guard let spans = file.content.spans else { return }
        var files: [ArchiveManifest.File] = []
        for product in file.products {
            let tree = product.dataset.map { "\($0.rawValue)/" } ?? ""
            files.append(
                ArchiveManifest.File(
                    path: "\(tree)\(file.partition.path)/\(name)"
                        + format.suffix(compression, isSealed: product.file.keyID != nil),
                    dataset: product.dataset, rows: product.rows, bytes: product.file.end.size,
                    sha256: ArchiveManifest.digits(try Digest.sha256(ofFile: product.file.path))))
        }
        var manifest = ArchiveManifest(
            number: chain.number + 1, previous: chain.hash, journal: journal.text, tenant: file.partition.tenant,
            format: format, compression: compression, spans: spans, created: now.text, files: files)
        (manifest.dates, manifest.holds) = (rules.dates, rules.holds)
        manifest.keyID = file.products.first?.file.keyID
        manifest.fieldKeys = file.content.keys
        let filter = "\(open)/\(file.stem)\(Self.bloomDraft)"
        // Of an attempt that failed.
        if Directory.has(filter) { try Directory.removeFile(filter) }
        manifest.take(try file.index.write(filter, rules.key, rules.finder))
        let draft = try begin(file.stem + ".manifest.json")
        let bytes = manifest.bytes
        do {
            let result = bytes.withUnsafeBytes { bytes in Result { () throws(FileError) in try draft.append(bytes) } }
            try result.get()
            try draft.sync()
            try draft.close()
            try Directory.sync(open)
            let target = "\(root)/\(files[0].path)"
            try Directory.create(Self.parent(of: target))
            try file.publish(as: target, draft)
        } catch {
            for path in [draft.path, filter] { try? Directory.removeFile(path) }
            throw error
        }
        chain.append(manifest, bytes)
    }

    /// Returns when readers see all of a publication, and a power cut cannot take it any more. After an error it may be
    /// tried again.
    mutating func complete(_ file: ArchiveFile) throws(FileError) {
        guard let draft = file.manifest else { return }
        // It was moved already where only the last sync failed.
        if Directory.has(draft.path) { try complete(draft.path, stem: file.stem) }
        try sync("\(root)/\(tree)\(file.partition.path)")
    }

    /// Completes what an earlier run has published in part.
    /// - Parameter names: of the files that it left in `.open`.
    mutating func complete(_ names: [String]) throws(FileError) {
        for name in names.sorted() where name.hasSuffix(Self.manifestSuffix) {
            try complete("\(open)/\(name)", stem: String(name.dropLast(Self.manifestSuffix.count)))
        }
    }

    private mutating func complete(_ draft: String, stem: String) throws(FileError) {
        let bytes = try FileReader.contents(of: draft, limit: Self.maximumManifest)
        // One that cannot be read was not synced when the process ended, and so no file was published.
        guard let manifest = bytes.withUnsafeBytes({ ArchiveManifest($0) }), let first = manifest.files.first,
            Directory.has("\(root)/\(first.path)")
        else { return }
        let partition = Self.parent(of: "\(root)/\(first.path)")
        // The others count by the first name, so none of them is there where a power cut takes that.
        if manifest.files.count > 1 { try sync(partition) }
        for file in manifest.files.dropFirst() {
            let target = "\(root)/\(file.path)"
            try link("\(open)/\(stem)\(file.dataset.map(Self.suffix) ?? "").open", as: target)
            try sync(Self.parent(of: target))
        }
        let filter = "\(open)/\(stem)\(Self.bloomDraft)"
        // Whoever finds none looks into the file.
        if let bloom = manifest.bloom, Directory.has(filter) { try link(filter, as: "\(root)/\(bloom.path)") }
        // What a manifest speaks of is there before it.
        try sync(partition)
        chain.append(manifest, bytes)
        try chain.save()
        for file in manifest.files.dropFirst() {
            try? Directory.removeFile("\(open)/\(stem)\(file.dataset.map(Self.suffix) ?? "").open")
        }
        try? Directory.removeFile(filter)
        let name = first.path.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
        try ArchiveOutbox(of: root)?.add(manifest, bytes)
        try Directory.move(draft, to: "\(partition)/\(ArchiveManifest.name(beside: String(name)))")
        try Directory.sync(partition)
    }

    /// Nothing, where an attempt before did it.
    private func link(_ path: String, as target: String) throws(FileError) {
        guard !Directory.has(target) else { return }
        try Directory.create(Self.parent(of: target))
        try Directory.link(path, as: target)
    }

    private static func parent(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
}
