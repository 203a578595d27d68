import Glibc
import Testing

@testable import Weir

@Suite struct ArchiveCatalogTests {
    /// As where a file goes to the bucket, or comes back.
    @Test func aManifestThatGetsItsOtherNameIsFound() async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        try await archive.export(FrozenBatch(records: [SampleBatch.record([(1, SampleBatch.fourOClock)], sequence: 1)]))
        await archive.exporter.finish()
        let file = try #require(directory.files().first { $0.hasSuffix(".manifest.json") })
        let manifest = "\(directory.path)/\(file)"
        let isOver = Flag()
        async let renames = Self.rename(manifest, and: ArchiveManifest.uploadedName(of: manifest), until: isOver)
        let catalog = ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
        var found: [Int] = []
        for _ in 1...500 {
            var published = 0
            try catalog.visit { if $0.published != nil { published += 1 } }
            found.append(published)
        }
        isOver.set(true)
        try await renames
        #expect(found.allSatisfy { $0 == 1 })
    }

    private static func rename(_ name: String, and other: String, until isOver: Flag) async throws {
        while !isOver.isSet, !Task.isCancelled {
            try Directory.move(name, to: other)
            await Task.yield()
            try Directory.move(other, to: name)
            await Task.yield()
        }
    }

    /// As one of which the disk gives nothing.
    @Test func aManifestThatCannotBeReadIsNamedAndEndsNothing() async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        for sequence in UInt64(1)...3 {
            let record = SampleBatch.record([(sequence, SampleBatch.fourOClock)], sequence: sequence)
            try await archive.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let manifests = directory.files().filter { $0.hasSuffix(".manifest.json") }
        try #require(manifests.count == 3)
        try Directory.removeFile("\(directory.path)/\(manifests[1])")
        try Directory.create("\(directory.path)/\(manifests[1])")
        let catalog = ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
        var broken: [String] = []
        var published = 0
        try catalog.visit { found in
            if case .broken(let path) = found { broken.append(path) }
            if found.published != nil { published += 1 }
        }
        #expect(broken == [manifests[1]] && published == 2)
        // Those beside it are merged.
        let merged = try ArchiveContents.compact(
            directory.path, CompactionRules(after: .zero, target: 1 << 20), nil,
            at: Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds))
        #expect(merged.merged == 2 && merged.made == 1)
    }

    /// Nobody waits for what never comes.
    @Test func aManifestThatPointsToNothingIsLeftOut() throws {
        let directory = try TemporaryDirectory()
        let partition = "\(directory.path)/tenant=default/date=2026-02-03/hour=04"
        try Directory.create(partition)
        #expect(symlink("nothing", "\(partition)/_x.manifest.json") == 0)
        var found = 0
        try ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection()).visit { _ in found += 1 }
        #expect(found == 0)
    }
}
