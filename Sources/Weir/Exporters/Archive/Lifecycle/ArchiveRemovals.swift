/// Which manifests of an archive were removed on purpose: lines in a file that only grows, so that what is missing in a
/// chain without one is missed.
struct ArchiveRemovals {
    enum Reason: String, Sendable {
        /// Its time was over.
        case expired
        /// It was rows, and an archive of OTLP has the spans.
        case transition
    }

    private static let name = "removed.jsonl"
    /// Bytes of the file.
    private static let maximumSize = 1 << 30

    /// By journal.
    private(set) var numbers: [String: [ClosedRange<Int>]] = [:]

    /// - Parameter root: of the archive.
    init(in root: String) throws(FileError) {
        let path = "\(root)/.chain/\(Self.name)"
        guard Directory.has(path) else { return }
        let bytes = try FileReader.contents(of: path, limit: Self.maximumSize)
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            line.withUnsafeBytes { add($0) }
        }
    }

    private mutating func add(_ line: UnsafeRawBufferPointer) {
        guard let tree = JSONTreeReader.value(line), let journal = tree["journal"]?.asText else { return }
        numbers[journal, default: []] += (tree["numbers"]?.elements ?? []).compactMap { element in
            let ends = element.elements.compactMap(\.asInt)
            return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
        }
    }

    /// Those of the numbers that were not removed on purpose.
    func missing(in wanted: ClosedRange<Int>, of journal: String) -> [ClosedRange<Int>] {
        var missing: [ClosedRange<Int>] = []
        var next = wanted.lowerBound
        for run in numbers[journal, default: []].sorted(by: { $0.lowerBound < $1.lowerBound })
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
        var writer = JSONWriter(capacity: 512)
        writer.value(
            .fields([
                ("at", .text(now.text)), ("why", .text(reason.rawValue)), ("journal", .text(manifest.journal)),
                ("tenant", .text(manifest.tenant)), ("path", .text(manifest.files.first?.path ?? "")),
                ("class", manifest.dates.map { .text($0.retentionClass) } ?? .null),
                ("spans", .int(Int64(manifest.spans.spans))), ("manifest_sha256", .text(hash)),
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
