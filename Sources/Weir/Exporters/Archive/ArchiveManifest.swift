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
    let spans: ArchivedSpans
    /// In UTC.
    let created: String
    /// The first is what says that all of it is published.
    let files: [File]
    /// The SHA-256 of the manifests that stood in its place before, the first one first: their files were written anew
    /// without spans that were erased.
    var supersedes: [String] = []

    /// The name beside a file of this name, without its suffix. Spark and PyArrow leave out what begins with `_`.
    static func name(beside file: String) -> String { "_\(file).manifest.json" }

    /// Digits of a SHA-256.
    static func digits(_ hash: [UInt8]) -> String {
        hash.map { $0.digits(2, radix: 16) }.joined()
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
        let runs = spans.runs.map { JSONTree.array([$0.lowerBound, $0.upperBound].map { .int(Int64(clamping: $0)) }) }
        // What lies beyond 2^53 is a text, since many readers of JSON would round it.
        var fields: [(StaticString, JSONTree)] = [
            ("version", .int(1)), ("number", .int(Int64(number))), ("previous", previous.map(JSONTree.text) ?? .null),
            ("journal", .text(journal)), ("tenant", .text(tenant)), ("format", .text(format.rawValue)),
            ("compression", .text(compression.rawValue)),
            ("sequences", .array(runs)),
            ("records", .int(Int64(spans.records))), ("spans", .int(Int64(spans.spans))),
        ]
        if let times = spans.times {
            fields.append(("min_start_unix_nano", .text("\(times.lowerBound)")))
            fields.append(("max_start_unix_nano", .text("\(times.upperBound)")))
        }
        fields.append(("created", .text(created)))
        fields.append(("files", .array(files.map(\.tree))))
        if !supersedes.isEmpty { fields.append(("supersedes", .array(supersedes.map(JSONTree.text)))) }
        return .fields(fields)
    }

    /// Nil where the text is no manifest.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let tree = JSONTreeReader.value(bytes), tree["version"]?.asInt == 1, let number = tree["number"]?.count,
            let journal = tree["journal"]?.asText, let tenant = tree["tenant"]?.asText,
            let format = tree["format"]?.asText.flatMap(ArchiveFormat.init),
            let compression = tree["compression"]?.asText.flatMap(Compression.init),
            let runs = tree["sequences"].flatMap({ Self.runs($0.elements) }), let records = tree["records"]?.count,
            let spans = tree["spans"]?.count,
            let created = tree["created"]?.asText,
            let files = tree["files"]?.elements.map(File.init), !files.isEmpty
        else { return nil }
        let ends = [tree["min_start_unix_nano"], tree["max_start_unix_nano"]]
        let times = ends.compactMap { $0?.asText.flatMap { UInt64($0) } }
        self.number = number
        previous = tree["previous"]?.asText
        self.journal = journal
        self.tenant = tenant
        self.format = format
        self.compression = compression
        self.spans = ArchivedSpans(
            of: runs, records: records, spans: spans,
            times: times.count == 2 && times[0] <= times[1] ? times[0]...times[1] : nil)
        self.created = created
        let known = files.compactMap { $0 }
        guard known.count == files.count else { return nil }
        self.files = known
        supersedes = tree["supersedes"]?.elements.compactMap(\.asText) ?? []
    }
}

extension ArchiveManifest {
    /// Nil where they are not in their order, or none.
    private static func runs(_ elements: [JSONTree]) -> [ClosedRange<UInt64>]? {
        var runs: [ClosedRange<UInt64>] = []
        for element in elements {
            let ends = element.elements.compactMap(\.asInt)
            guard ends.count == 2, ends[0] >= 0, ends[0] <= ends[1],
                runs.last.map({ $0.upperBound < UInt64(ends[0]) }) ?? true
            else { return nil }
            runs.append(UInt64(ends[0])...UInt64(ends[1]))
        }
        return runs.isEmpty ? nil : runs
    }
}

extension ArchiveManifest.File {
    fileprivate var tree: JSONTree {
        var fields: [(StaticString, JSONTree)] = [("path", .text(path))]
        if let dataset { fields.append(("dataset", .text(dataset.rawValue))) }
        return .fields(
            fields + [("rows", .int(Int64(rows))), ("bytes", .int(Int64(bytes))), ("sha256", .text(sha256))])
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
    fileprivate var count: Int? { asInt.flatMap { (0...1 << 44).contains($0) ? $0 : nil } }
}
