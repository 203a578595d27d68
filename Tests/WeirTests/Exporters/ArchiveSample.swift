import Logging
import Synchronization
import Testing

@testable import Weir

/// An archive in a directory of its own, and what readers find in it.
struct ArchiveSample {
    let directory: TemporaryDirectory
    let clock: TestClock
    let log = LogCapture()
    let metrics = MetricRegistry()
    let exporter: ArchiveExporter
    let extensions: Extensions
    private let journal: JournalID
    private let sequence = Box()

    private final class Box: Sendable {
        let next = Atomic<UInt64>(1)
    }

    /// - Parameters:
    ///   - keys: of the exporter, but `directory`.
    ///   - path: of the archive, if it is not `directory` itself.
    ///   - extensions: that the keys name.
    ///   - erasures: the register, if there is one.
    init(
        _ keys: String..., in directory: TemporaryDirectory? = nil, path: String? = nil, journal: UInt64 = 7,
        clock: TestClock = TestClock(), extensions: Extensions = Extensions(), erasures: String? = nil
    ) throws {
        try self.init(
            keys: keys, in: directory, path: path, journal: journal, clock: clock, extensions: extensions,
            erasures: erasures)
    }

    init(
        keys: [String], in directory: TemporaryDirectory? = nil, path: String? = nil, journal: UInt64 = 7,
        clock: TestClock = TestClock(), extensions: Extensions = Extensions(), erasures: String? = nil
    ) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        self.clock = clock
        self.journal = JournalID(value: journal)
        let configuration = try #require(
            read(ArchiveConfiguration.self, (["directory: \(path ?? directory.path)"] + keys).joined(separator: "\n")))
        var context = Context(id: ComponentID(type: "archive"), logger: log.logger, metrics: metrics)
        (context.extensions, context.erasures) = (extensions, erasures)
        self.extensions = extensions
        exporter = try ArchiveExporter(configuration, context, clock: { clock.now })
    }

    /// Exports the records as those that come next in the journal.
    func export(_ batch: FrozenBatch) async throws(ExportError) {
        let first = sequence.next.load(ordering: .relaxed)
        let records = zip(first..., batch.records).map { sequence, record in
            JournalRecord(
                sequence: sequence, tenant: record.tenant, receivedAt: record.receivedAt, spanCount: record.spanCount,
                payload: record.payload)
        }
        try await exporter.export(FrozenBatch(journal: journal, records: records, recoveredThrough: 0))
        sequence.next.store(first + UInt64(records.count), ordering: .relaxed)
    }

    /// Files that readers see.
    var published: [String] { directory.archiveFiles().filter { !$0.hasPrefix(".open/") } }
    var open: [String] { directory.files().filter { $0.hasPrefix(".open/") } }

    /// What stands beside the published files, in their order in the chain.
    var manifests: [ArchiveManifest] {
        get throws {
            let files = directory.files().filter { $0.hasSuffix(".manifest.json") }
            return try files.map { file in
                try #require(try directory.contents(of: file).withUnsafeBytes { ArchiveManifest($0) })
            }.sorted { $0.number < $1.number }
        }
    }

    func messages(in file: String) throws -> [[UInt8]] {
        try ArchiveReader.messages(in: file, of: directory)
    }

    func spanIDs(in files: [String]) throws -> [UInt64] {
        try ArchiveReader.spanIDs(in: files, of: directory)
    }
}

extension TemporaryDirectory {
    /// The files of an archive that hold spans, or will.
    func archiveFiles() -> [String] {
        files().filter { !$0.hasPrefix(".chain/") && !$0.hasSuffix(".manifest.json") && !$0.hasSuffix(".bloom") }
    }
}

extension SampleBatch {
    static func decode<Value>(
        _ message: [UInt8], isJSON: Bool = false, _ body: (borrowing Batch) throws -> Value
    ) throws -> Value {
        var batch = Batch()
        let payload = message.withUnsafeBytes { Payload.copying($0) }
        if isJSON {
            try OTLPJSONDecoder().decode(payload, into: &batch)
        } else {
            try OTLPDecoder().decode(payload, into: &batch)
        }
        return try body(batch)
    }
}

/// Reads the keys of a component; nil, and a failure of the test, where there is a problem with them. A note is none.
func read<Keys: Configurable>(_ type: Keys.Type, _ yaml: String) -> Keys? {
    var reader = YAMLReader(file: "f", environment: [:])
    let root = reader.read(yaml)
    var top = Fields([], file: "f")
    let (keys, _) = top.descend(into: root, path: "") { $0.read(type) }
    let all = reader.diagnostics.entries + top.diagnostics.entries
    let problems = all.filter { $0.severity != .note }.map(\.description)
    #expect(problems == [])
    return problems.isEmpty ? keys : nil
}
