import Testing

@testable import Weir

@Suite struct ArchiveReplayTests {
    private let directory: TemporaryDirectory
    private let catalog: ArchiveCatalog

    init() throws {
        directory = try TemporaryDirectory()
        catalog = ArchiveCatalog(root: "\(directory.path)/archive", selection: ArchiveCatalog.Selection())
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func theNewestOfAllJournalsCome(format: ArchiveFormat) async throws {
        try await fill(format)
        var outcome = ArchiveReplay.Outcome()
        let all = try ArchiveReplay(catalog: catalog).newest(14, &outcome)
        #expect(all.map(\.journal.value) == [7, 8] && all.allSatisfy { $0.records.map(\.sequence) == [1, 2, 3, 4] })
        #expect(!outcome.isShort && outcome.left.isEmpty)
        let some = try ArchiveReplay(catalog: catalog).newest(3, &outcome)
        #expect(some.flatMap(\.records).reduce(0) { $0 + $1.spanCount } == 4 && !outcome.isShort)
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func whatIsMoreThanMayBeInMemoryIsLeftOutAndSaid(format: ArchiveFormat) async throws {
        try await fill(format)
        var outcome = ArchiveReplay.Outcome()
        let found = try ArchiveReplay(catalog: catalog, maximumSize: 1).newest(14, &outcome)
        #expect(found.flatMap(\.records).count == 1 && outcome.isShort && !outcome.isComplete)
    }

    @Test func aFileThatHasLessThanItsManifestSaysIsDamaged() async throws {
        let archive = try ArchiveSample(
            "format: otlp_json", "compression: none", in: directory, path: catalog.root, journal: 7)
        let records = [UInt64(1), 2].map { SampleBatch.record([($0, SampleBatch.fourOClock)], sequence: $0) }
        try await archive.export(FrozenBatch(records: records))
        await archive.exporter.finish()
        let path = "\(directory.path)/\(try #require(directory.files().first { $0.hasSuffix(".jsonl") }))"
        let lines = try FileReader.contents(of: path, limit: 1 << 20)
        try Directory.replace(path, with: Array(lines.prefix { $0 != 0x0A }) + [0x0A])
        var outcome = ArchiveReplay.Outcome()
        let replay = ArchiveReplay(catalog: catalog)
        #expect(throws: FileError.damaged(path)) { try replay.newest(2, &outcome) }
    }

    /// Four records with 7 spans of each of two journals.
    private func fill(_ format: ArchiveFormat) async throws {
        for journal: UInt64 in [7, 8] {
            let archive = try ArchiveSample(
                "format: \(format.rawValue)", in: directory, path: catalog.root, journal: journal)
            for record in try ErasureSample.records() { try await archive.export(FrozenBatch(records: [record])) }
            await archive.exporter.finish()
        }
    }
}
