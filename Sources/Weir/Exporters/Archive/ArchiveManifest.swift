/// What stands beside each file of the archive, and is written last: what the file holds, and how to tell that it still
/// does. The manifests of a journal are a chain, so that one that is missing is missed.
struct ArchiveManifest: Equatable {
    struct File: Equatable {
        /// From the archive's directory on.
        let path: String
        /// Nil where the archive has one kind of file only.
        let dataset: ArchiveDataset?
        let rows: Int
        let bytes: Int
        /// Hexadecimal digits.
        let sha256: String
    }

    /// From 1, one after the other for each journal.
    let number: Int
    /// The SHA-256 of the manifest with the number before; nil for the first.
    let previous: String?
    /// The journal's.
    let journal: String
    let tenant: String
    let format: ArchiveFormat
    let compression: Compression
    var spans: ArchivedSpans
    /// In UTC.
    var created: String
    /// The first is what says that all of it is published.
    var files: [File]
    /// The SHA-256 of all manifests that it is in place of: their files were written anew without spans that were
    /// erased, or merged. Who finds one of them beside it leaves that out.
    var supersedes: [String] = []
    /// What was merged, in the order in which it stands in the file. The manifest has the number of the first.
    var parts: [ArchivePart] = []
    /// Nil in one of an older Weir.
    var dates: ArchiveDates?
    /// Of the data key that the files are sealed with; nil where they are not.
    var keyID: UInt64?
    /// Of values in the files; also of some that were erased of them since. Nil in one of an older Weir.
    var fieldKeys: ArchivedKeyIDs?
    /// Tells of most traces that the files have no span of them; see ``ArchiveIndex``. Nil in one of an older Weir.
    var bloom: File?
    /// Tells the same of names, where somebody can be erased by them. Nil in one of an older Weir, too.
    var names: Names?
    /// Holds that the files were published under.
    var holds: [String] = []

    /// With what stands beside them.
    var allFiles: [File] { files + [bloom].compactMap(\.self) }

    /// The name beside a file of this name, without its suffix. Spark and PyArrow leave out what begins with `_`.
    static func name(beside file: String) -> String { "_\(file).manifest.json" }

    /// Digits of a SHA-256.
    static func digits(_ hash: [UInt8]) -> String {
        Digest.hex(hash)
    }
}

// MARK: - JSON

extension ArchiveManifest {
    /// A line of JSON.
    var bytes: [UInt8] {
        var writer = JSONWriter(capacity: 1 << 10)
        writer.value(tree)
        writer.byte(UInt8(ascii: "\n"))
        return Array(writer.written)
    }

    private var tree: JSONTree {
        var fields: [(StaticString, JSONTree)] = [
            ("version", .int(1)), ("number", .int(Int64(number))), ("previous", previous.map(JSONTree.text) ?? .null),
            ("journal", .text(journal)), ("tenant", .text(tenant)), ("format", .text(format.rawValue)),
            ("compression", .text(compression.rawValue)),
        ]
        fields += spans.fields
        fields.append(("created", .text(created)))
        fields.append(("files", .array(files.map { $0.tree() })))
        if let keyID {
            let ids = JSONTree.array([.text(keyID.digits(16, radix: 16))])
            fields.append(("encryption", .fields(["algorithm": .text("aes-256-gcm"), "key_ids": ids])))
        }
        if let fieldKeys { fields.append(("field_encryption", fieldKeys.tree)) }
        if let bloom {
            var more: [(StaticString, JSONTree)] = [
                ("algorithm", .text("split_block_xxh64")), ("of", .text("trace_id")),
            ]
            if let names { more.append(("subjects", names.tree)) }
            fields.append(("bloom", bloom.tree(more)))
        }
        if !holds.isEmpty { fields.append(("legal_hold", .array(holds.map(JSONTree.text)))) }
        if !supersedes.isEmpty { fields.append(("supersedes", .array(supersedes.map(JSONTree.text)))) }
        if !parts.isEmpty { fields.append(("parts", .array(parts.map(\.tree)))) }
        if let dates { fields.append(("lifecycle", dates.tree)) }
        return .fields(fields)
    }

    /// Nil where the text is no manifest.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let tree = JSONTreeReader.value(bytes), tree["version"]?.asInt == 1, let number = tree["number"]?.count,
            let journal = tree["journal"]?.asText, let tenant = tree["tenant"]?.asText,
            let format = tree["format"]?.asText.flatMap(ArchiveFormat.init),
            let compression = tree["compression"]?.asText.flatMap(Compression.init),
            let spans = ArchivedSpans(tree), let created = tree["created"]?.asText,
            let files = tree["files"]?.elements.map(File.init), !files.isEmpty
        else { return nil }
        let parts = (tree["parts"]?.elements ?? []).map(ArchivePart.init)
        self.number = number
        previous = tree["previous"]?.asText
        self.journal = journal
        self.tenant = tenant
        self.format = format
        self.compression = compression
        self.spans = spans
        self.created = created
        let known = files.compactMap { $0 }
        guard known.count == files.count else { return nil }
        self.files = known
        supersedes = tree["supersedes"]?.elements.compactMap(\.asText) ?? []
        self.parts = parts.compactMap { $0 }
        guard self.parts.count == parts.count else { return nil }
        if let tree = tree["bloom"] {
            guard let file = File(tree) else { return nil }
            bloom = file
            if let names = tree["subjects"] {
                guard let known = Names(names) else { return nil }
                self.names = known
            }
        }
        holds = tree["legal_hold"]?.elements.compactMap(\.asText) ?? []
        dates = tree["lifecycle"].flatMap(ArchiveDates.init)
        if let tree = tree["field_encryption"] {
            guard let keys = ArchivedKeyIDs(tree) else { return nil }
            fieldKeys = keys
        }
        guard let encryption = tree["encryption"] else { return }
        guard let id = encryption["key_ids"]?.elements.first?.asText.flatMap({ UInt64($0, radix: 16) }) else {
            return nil
        }
        keyID = id
    }
}

extension ArchiveManifest.File {
    fileprivate func tree(_ more: [(StaticString, JSONTree)] = []) -> JSONTree {
        var fields: [(StaticString, JSONTree)] = [("path", .text(path))]
        if let dataset { fields.append(("dataset", .text(dataset.rawValue))) }
        return .fields(
            fields + [("rows", .int(Int64(rows))), ("bytes", .int(Int64(bytes))), ("sha256", .text(sha256))] + more)
    }

    fileprivate init?(_ tree: JSONTree) {
        guard let path = tree["path"]?.asText, let rows = tree["rows"]?.count, let bytes = tree["bytes"]?.count,
            let sha256 = tree["sha256"]?.asText,
            // What a manifest names lies in the archive.
            !path.hasPrefix("/"), !path.split(separator: "/").contains("..")
        else { return nil }
        self.init(
            path: path, dataset: tree["dataset"]?.asText.flatMap(ArchiveDataset.init), rows: rows, bytes: bytes,
            sha256: sha256)
    }
}

extension JSONTree {
    /// Of things that there can be so many of: sums of them fit as well.
    var count: Int? { asInt.flatMap { (0...1 << 44).contains($0) ? $0 : nil } }
}
