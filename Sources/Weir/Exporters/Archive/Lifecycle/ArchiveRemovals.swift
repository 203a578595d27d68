/// Which manifests of an archive were removed on purpose: lines in a file that only grows, so that what is missing in a
/// chain without one is missed. A bucket has them too: see ``RemovalObjects``.
struct ArchiveRemovals {
    enum Reason: String, Sendable {
        /// Its time was over.
        case expired
        /// It was rows, and an archive of OTLP has the spans.
        case transition
    }

    static let name = "removed.jsonl"
    /// What the names of a bucket's begin with, and end with.
    static let directory = ".chain/"
    static let (start, end) = ("removed", ".jsonl")
    /// Bytes of a line. That of a merged day has a range of numbers for each part, in between of which are those of
    /// other tenants: 24 KB where a part was a minute's.
    static let maximumLine = 64 << 20
    /// Ranges that are added to those of a journal before they are put together.
    private static let fewRanges = 4_096

    /// By journal, in order, with gaps between them: what was removed of all tenants is one after the other.
    private(set) var numbers: [String: [ClosedRange<Int>]] = [:]
    /// How many of each journal there were when they were last put together.
    private var joined: [String: Int] = [:]

    /// - Parameter root: of the archive.
    init(in root: String) throws(FileError) {
        try Self.forEachLine(in: root) { line in
            if let tree = JSONTreeReader.value(line) { add(tree) }
        }
        for journal in numbers.keys { join(journal) }
    }

    /// What an archive had of a day, of each journal and tenant, until its time was over.
    /// - Parameter present: the hashes of manifests that are there: a line is written before its files go.
    static func counts(
        on day: Day, in root: String, but present: Set<String>
    ) throws(FileError) -> [SpanOrigin: [ArchivedCount]] {
        var (counts, known): ([SpanOrigin: [ArchivedCount]], Set<String>) = ([:], present)
        try forEachLine(in: root) { bytes in
            guard let line = JSONTreeReader.value(bytes), line["day"]?.asText == day.text,
                let count = line["day_spans"]?.asInt,
                let journal = line["journal"]?.asText.flatMap({ UInt64($0, radix: 16) }),
                let tenant = line["tenant"]?.asText, let hash = line["manifest_sha256"]?.asText,
                known.insert(hash).inserted
            else { return }
            let ends = line["sequences"]?.elements.compactMap { $0.asInt.flatMap { UInt64(exactly: $0) } } ?? []
            // Of an older Weir's line nobody knows the records.
            let records = ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : 0...UInt64.max
            let isParquet = line["path"]?.asText?.hasPrefix(ArchiveFormat.parquet.tree) ?? false
            counts[SpanOrigin(journal: JournalID(value: journal), tenant: tenant), default: []].append(
                ArchivedCount(isParquet: isParquet, records: [records], spans: count))
        }
        return counts
    }

    private static func forEachLine(in root: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(FileError) {
        guard Directory.has("\(root)/\(directory)") else { return }
        for name in try Directory.names(in: "\(root)/\(directory)") where isOne(name) {
            var reader = try LineReader("\(root)/\(directory)\(name)", from: 0, atMost: maximumLine)
            while try reader.next({ body(UnsafeRawBufferPointer(rebasing: $0.dropLast())) }) != nil {}
        }
    }

    /// Whether a file of that name has such lines.
    static func isOne(_ name: some StringProtocol) -> Bool { name.hasPrefix(start) && name.hasSuffix(end) }

    private mutating func add(_ line: JSONTree) {
        guard let journal = line["journal"]?.asText else { return }
        numbers[journal, default: []] += (line["numbers"]?.elements ?? []).compactMap { element in
            let ends = element.elements.compactMap(\.asInt)
            return ends.count == 2 && ends[0] <= ends[1] && ends[1] < .max ? ends[0]...ends[1] : nil
        }
        if numbers[journal, default: []].count > 2 * joined[journal, default: 0] + Self.fewRanges { join(journal) }
    }

    private mutating func join(_ journal: String) {
        var runs: [ClosedRange<Int>] = []
        for run in numbers[journal, default: []].sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = runs.last, run.lowerBound <= last.upperBound + 1 {
                runs[runs.count - 1] = last.lowerBound...max(last.upperBound, run.upperBound)
            } else {
                runs.append(run)
            }
        }
        numbers[journal] = runs
        joined[journal] = runs.count
    }

    /// Those of the numbers that were not removed on purpose.
    func missing(in wanted: ClosedRange<Int>, of journal: String) -> [ClosedRange<Int>] {
        var missing: [ClosedRange<Int>] = []
        var next = wanted.lowerBound
        for run in numbers[journal, default: []]
        where run.upperBound >= next && run.lowerBound <= wanted.upperBound {
            if run.lowerBound > next { missing.append(next...run.lowerBound - 1) }
            next = run.upperBound + 1
        }
        if next <= wanted.upperBound { missing.append(next...wanted.upperBound) }
        return missing
    }

    /// Returns when a power cut cannot take the line.
    static func append(
        _ manifest: ArchiveManifest, _ hash: String, _ reason: Reason, at now: Timestamp, in root: String
    ) throws(FileError) {
        var numbers: [ClosedRange<Int>] = []
        for number in (manifest.parts.isEmpty ? [manifest.number] : manifest.parts.map(\.number)).sorted() {
            if let last = numbers.last, last.upperBound + 1 >= number {
                numbers[numbers.count - 1] = last.lowerBound...max(last.upperBound, number)
            } else {
                numbers.append(number...number)
            }
        }
        let day = manifest.place?.day
        let sequences = manifest.spans.sequences
        var writer = JSONWriter(capacity: 512)
        writer.value(
            .fields([
                ("at", .text(now.text)), ("why", .text(reason.rawValue)), ("journal", .text(manifest.journal)),
                ("tenant", .text(manifest.tenant)), ("path", .text(manifest.files.first?.path ?? "")),
                ("class", manifest.dates.map { .text($0.retentionClass) } ?? .null),
                ("spans", .int(Int64(manifest.spans.spans))), ("day", day.map { .text($0.text) } ?? .null),
                ("day_spans", day.flatMap { manifest.count(on: $0) }.map { .int(Int64($0)) } ?? .null),
                (
                    "sequences",
                    .array([sequences.lowerBound, sequences.upperBound].map { .int(Int64(clamping: $0)) })
                ),
                ("manifest_sha256", .text(hash)),
                (
                    "numbers",
                    .array(numbers.map { .array([.int(Int64($0.lowerBound)), .int(Int64($0.upperBound))]) })
                ),
            ]))
        writer.byte(UInt8(ascii: "\n"))
        try Directory.create("\(root)/.chain")
        try LineFile(Self.name, in: "\(root)/.chain").append(Array(writer.written))
    }
}
