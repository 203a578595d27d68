import Foundation
import Testing

@testable import Weir

/// An archive with a bucket: what is to be done there when files here are merged, written anew or removed, and files that
/// are in the bucket only.
@Suite struct ArchiveAwayTests {
    private let directory: TemporaryDirectory
    private let root: String
    private let start = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let day = Day(Timestamp(nanoseconds: SampleBatch.fourOClock))

    init() throws {
        directory = try TemporaryDirectory()
        root = "\(directory.path)/archive"
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func whatIsMergedIsToComeAndWhatItIsInPlaceOfIsToGo(format: ArchiveFormat) async throws {
        let outbox = try await fill(format)
        let old = try manifests()
        try finishAll(outbox)
        let merged = try ArchiveContents.compact(
            root, CompactionRules(after: .zero, target: 1 << 20), nil, at: after(days: 2))
        #expect(merged.merged == 4 && merged.made == 1)
        let entries = try outbox.entries()
        #expect(try entries.map { try outbox.manifest($0.name)?.manifest } == (try manifests()).map { $0 })
        let paths = Set(try outbox.removals().flatMap(\.paths))
        #expect(paths == Set(old.flatMap { [$0.manifestPath] + $0.allFiles.map(\.path) }))
        #expect(try outbox.removalCount() == 4)
    }

    @Test func whatIsWrittenAnewIsToCome() async throws {
        let outbox = try await fill()
        try finishAll(outbox)
        let erasure = try #require(try ArchiveErasure(root))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: start)
        let entries = try outbox.entries().compactMap { try outbox.manifest($0.name)?.manifest }
        #expect(entries == (try manifests()).filter { !$0.supersedes.isEmpty } && entries.count == 3)
        #expect(try outbox.rewritten() == 3 && outbox.removalCount() == 0)
    }

    @Test func whatIsWrittenAnewWhileItIsVerifiedIsWhole() async throws {
        _ = try await fill()
        // Found first, when all manifests of the day are read and no file is.
        let stray = "\(Directory.parent(of: try #require(try manifests().first).manifestPath))/0.otlp"
        try Data("?".utf8).write(to: URL(fileURLWithPath: "\(root)/\(stray)"))
        var verification = ArchiveVerification(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()), nil)
        var problems: [String] = []
        try verification.run { problem in
            problems.append(problem)
            let erasure = try #require(try ArchiveErasure(root))
            _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: start)
        }
        #expect(problems == ["\(stray): found no manifest beside it"])
        #expect(try manifests().contains { !$0.supersedes.isEmpty })
    }

    @Test func whatWasSetAsideOfItIsForgottenWhenItComesAgain() async throws {
        let outbox = try await fill()
        try finishAll(outbox)
        var manifest = try #require(try manifests().first)
        try outbox.add(manifest, manifest.bytes)
        try outbox.setAside(try #require(try outbox.entries().first).name)
        // Nothing is in the bucket that it is in place of.
        #expect(try !outbox.lacksSuccessors())
        manifest.supersedes = ["00"]
        for _ in 1...2 {
            try outbox.add(manifest, manifest.bytes)
            #expect(try outbox.rewritten() == 1)
            try outbox.setAside(try #require(try outbox.entries().first).name)
            #expect(try outbox.lacksSuccessors() && outbox.rewritten() == 1)
        }
        try outbox.add(manifest, manifest.bytes)
        #expect(try !outbox.lacksSuccessors())
    }

    @Test func aManifestThatCannotBeReadMayBeInPlaceOfWhatIsToGo() async throws {
        let outbox = try await fill()
        let name = try #require(try outbox.entries().first).name
        try Data("?".utf8).write(to: URL(fileURLWithPath: "\(outbox.path)/\(name)"))
        try outbox.setAside(name)
        #expect(try outbox.lacksSuccessors())
    }

    @Test func filesThatOnlyTheBucketHasCountForTheirDay() async throws {
        try removeHere(try await fill())
        let found = try ArchivedDay(day, in: root, isParquet: false, isVerified: true)
        #expect(found.spans.values.reduce(0, +) == 7 && found.damaged == [])
        #expect(try ArchivedDay(day + 1, in: root, isParquet: false, isVerified: true).spans.isEmpty)
    }

    @Test func rowsAreLeftToFilesThatOnlyTheBucketHas() async throws {
        try removeHere(try await fill(.parquet, "\(directory.path)/rows"), "\(directory.path)/rows")
        try removeHere(try await fill())
        let outcome = try expire("\(directory.path)/rows", days: 12, colder: [root])
        #expect(outcome.transitioned == 4 && outcome.lacking == [])
        #expect(try expire("\(directory.path)/rows", days: 12, colder: [root]) == ArchiveExpiry.Outcome())
    }

    @Test func filesThatOnlyTheBucketHasEndByTheirRule() async throws {
        let outbox = try await fill()
        try removeHere(outbox)
        #expect(try expire(root, days: 20) == ArchiveExpiry.Outcome())
        let outcome = try expire(root, days: 21)
        #expect(outcome.expired == 4 && outcome.spans == 7)
        #expect(try outbox.removalCount() == 4)
        #expect(try Directory.names(in: outbox.away) == [])
        #expect(directory.files().filter { $0.contains("tenant=") } == [])
        #expect(try ArchiveContents.problems(root) == [])
    }

    @Test func theirManifestsAreLinksOfTheChain() async throws {
        try removeHere(try await fill(), where: { $0.number == 2 || $0.number == 4 })
        #expect(try ArchiveContents.problems(root) == [])
        let away = try #require(directory.files().first { $0.hasSuffix(ArchiveManifest.uploadedSuffix) })
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(away)")
        #expect(try ArchiveContents.problems(root).count == 1)
    }

    @Test func aFileThatIsAboutToGoHereStandsBesideItsManifest() async throws {
        _ = try await fill()
        let manifest = try #require(try manifests().first)
        try Directory.move("\(root)/\(manifest.manifestPath)", to: "\(root)/\(manifest.uploadedPath)")
        #expect(try ArchiveContents.problems(root) == [])
    }

    @Test func theyAreNotMergedAndNotForgotten() async throws {
        try removeHere(try await fill(), where: { $0.number < 3 })
        let merged = try ArchiveContents.compact(
            root, CompactionRules(after: .zero, target: 1 << 20), nil, at: after(days: 2))
        #expect(merged.merged == 2)
        #expect(try ArchivedDay(day, in: root, isParquet: false, isVerified: true).spans.values.reduce(0, +) == 7)
        #expect(try ArchiveContents.problems(root) == [])
    }

    @Test func ofABucketThatIsAwayTheyAreBroughtAnotherTime() async throws {
        try removeHere(try await fill())
        let yaml = """
            directory: \(root)
            object_storage:
              endpoint: http://127.0.0.1:9
              bucket: traces
              access_key_id: id
              secret_access_key: secret
              max_retry_interval: 10ms
            """
        let configuration = try #require(read(ArchiveConfiguration.self, yaml))
        let catalog = ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection())
        let bucket = try #require(BucketCompaction(catalog, configuration, nil))
        var failed: Set<String> = []
        do {
            _ = try await bucket.run(at: after(days: 2), &failed)
            Issue.record("nothing listens there")
        } catch {
            #expect(error is ObjectStorageError && failed.isEmpty, "\(error)")
        }
    }

    @Test func nothingComesBackThatTheDiskHasNoRoomFor() async throws {
        try removeHere(try await fill())
        let storage = "{ endpoint: http://127.0.0.1:9, bucket: traces, access_key_id: id, secret_access_key: secret }"
        let yaml = "directory: \(root)\nobject_storage: \(storage)"
        let configuration = try #require(read(ArchiveConfiguration.self, yaml))
        let bring = try #require(ArchiveReturn(to: root, from: configuration.upload?.storage))
        await #expect(throws: ArchiveReturn.NoRoom.self) {
            try await bring.run(tenant: "default", leaving: .max)
        }
    }

    @Test func restoreSaysThatItLacksThem() async throws {
        try removeHere(try await fill(), where: { $0.number < 3 })
        let sample = try SQLiteSample()
        let outcome = try await ArchiveRestore(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()), tenant: "default",
            into: .sqlite(SQLiteDirectory(sample.path)), ErasureRegister("\(directory.path)/erasures")
        ).run(at: start)
        #expect(outcome.files == 2 && outcome.spans == 3 && outcome.away == 2)
    }

    @Test func anErasureIsNotCompleteBeforeTheBucketIsRidOfIt() async throws {
        let outbox = try await fill()
        try finishAll(outbox)
        let yaml = """
            receivers: { otlp: {} }
            exporters: { archive: { directory: \(root), format: otlp_proto } }
            service:
              journal: { directory: \(directory.path)/journal }
              pipelines: { traces: { receivers: [otlp], exporters: [archive] } }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        let places = ErasurePlaces(try #require(checked.configuration))
        var register = try ErasureRegister("\(directory.path)/erasures")
        try register.append(at: start) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute, entry.names) = ("default", "user.id", [[1]])
            return entry
        }
        let request = try #require(register.requests.first)
        #expect(try places.left(of: request, at: start).isEmpty && places.leftInBuckets().isEmpty)
        _ = try ArchiveContents.compact(root, CompactionRules(after: .zero, target: 1 << 20), nil, at: after(days: 2))
        let left = try places.leftInBuckets().map(\.place)
        #expect(
            left == [
                "archive: 1 files are in the bucket as they were",
                "archive: files of 4 manifests are still to go from the bucket",
            ])
    }

    // MARK: -

    private func after(days: UInt64) -> Timestamp {
        Timestamp(nanoseconds: start.nanoseconds + days * Day.nanoseconds)
    }

    private func expire(_ root: String, days: UInt64, colder: [String] = []) throws -> ArchiveExpiry.Outcome {
        let configuration = try #require(
            read(ArchiveConfiguration.self, "directory: d\nlifecycle: { warm: 10d, cold: 20d }"))
        return try ArchiveExpiry(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()), configuration.lifecycle,
            ErasureRegister("\(directory.path)/erasures"), colder: colder
        ).run(at: after(days: days))
    }

    private func manifests() throws -> [ArchiveManifest] {
        var found: [ArchiveManifest] = []
        try ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()).visit {
            if let manifest = $0.published?.manifest { found.append(manifest) }
        }
        return found.sorted { $0.number < $1.number }
    }

    /// A file for each of four records, with 7 spans together, in an archive that has a bucket.
    private func fill(_ format: ArchiveFormat = .proto, _ path: String? = nil) async throws -> ArchiveOutbox {
        let path = path ?? root
        try ArchiveDirectory.create(path)
        let outbox = try ArchiveOutbox.create(path)
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", "lifecycle: { warm: 10d, cold: 20d }", in: directory, path: path)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        return outbox
    }

    /// The bucket has everything.
    private func finishAll(_ outbox: ArchiveOutbox) throws {
        for entry in try outbox.entries() { try outbox.finish(entry.name, keeps: true) }
    }

    /// As the uploader does it.
    private func removeHere(
        _ outbox: ArchiveOutbox, _ path: String? = nil, where isMeant: (ArchiveManifest) -> Bool = { _ in true }
    ) throws {
        let root = path ?? root
        try finishAll(outbox)
        for name in try Directory.names(in: outbox.done) {
            guard let (manifest, _) = try outbox.manifest("done/\(name)"), isMeant(manifest) else { continue }
            try Directory.move("\(root)/\(manifest.manifestPath)", to: "\(root)/\(manifest.uploadedPath)")
            for file in manifest.files { try Directory.removeFile("\(root)/\(file.path)") }
            try Directory.move("\(outbox.done)/\(name)", to: "\(outbox.away)/\(name)")
        }
    }
}
