import Testing

@testable import Weir

@Suite struct ArchiveOutboxTests {
    private func manifest(_ number: Int, bytes: Int = 10) -> ArchiveManifest {
        ArchiveManifest(
            number: number, previous: nil, journal: "0000000000000007", tenant: "shop", format: .proto,
            compression: .zstd, spans: ArchivedSpans(of: 1, spans: 1), created: "2026-02-03T04:05:06Z",
            files: [
                .init(
                    path: "tenant=shop/date=2026-02-03/hour=04/x.otlp.zst", dataset: nil, rows: 1, bytes: bytes,
                    sha256: "00")
            ])
    }

    @Test func anArchiveWithoutABucketHasNone() throws {
        let directory = try TemporaryDirectory()
        #expect(ArchiveOutbox(of: directory.path) == nil)
        _ = try ArchiveOutbox.create(directory.path)
        #expect(ArchiveOutbox(of: directory.path) != nil)
    }

    @Test func saysWhatWaitsInTheOrderOfNumbersAndEachOnce() throws {
        let directory = try TemporaryDirectory()
        let outbox = try ArchiveOutbox.create(directory.path)
        for number in [10, 9, 10] {
            try outbox.add(manifest(number, bytes: number), manifest(number, bytes: number).bytes)
        }
        try outbox.add(manifest(11), manifest(11).bytes, isOld: true)
        let entries = try outbox.entries()
        #expect(entries.map(\.bytes) == [9, 10, 0])
        #expect(try entries.map { try outbox.manifest($0.name)?.manifest.number } == [9, 10, 11])
        try outbox.finish(entries[0].name, keeps: false)
        try outbox.finish(entries[1].name, keeps: true)
        try outbox.setAside(entries[2].name)
        #expect(try outbox.entries().isEmpty)
        #expect(try Directory.names(in: outbox.done) == [entries[1].name])
    }

    @Test func whatWasSupersededOrIsToGoCountsNoMore() throws {
        let directory = try TemporaryDirectory()
        let outbox = try ArchiveOutbox.create(directory.path)
        for number in 1...3 { try outbox.add(manifest(number), manifest(number).bytes) }
        var merged = manifest(4, bytes: 20)
        merged.supersedes = [1, 2].map { ArchiveManifest.hash(manifest($0).bytes) }
        for _ in 1...2 { try outbox.add(merged, merged.bytes) }
        #expect(try outbox.entries().map(\.bytes) == [0, 0, 10, 20])
        try outbox.remove(manifest(3), manifest(3).bytes)
        #expect(try outbox.entries().map(\.bytes) == [0, 0, 0, 20])
        // They are still dealt with.
        let numbers = try outbox.entries().map { try outbox.manifest($0.name)?.manifest.number }
        #expect(numbers == [1, 2, 3, 4])
    }

    @Test func saysWhatIsToGo() throws {
        let directory = try TemporaryDirectory()
        let outbox = try ArchiveOutbox.create(directory.path)
        let manifest = manifest(3)
        for isOld in [false, true] {
            try outbox.add(manifest, manifest.bytes, isOld: isOld)
            let name = try #require(try outbox.entries().first).name
            try Directory.move("\(outbox.path)/\(name)", to: "\(outbox.away)/\(name)")
        }
        for _ in 1...2 { try outbox.remove(manifest, manifest.bytes) }
        let place = "tenant=shop/date=2026-02-03/hour=04"
        #expect(try outbox.removals().map(\.paths) == [["\(place)/_x.manifest.json", "\(place)/x.otlp.zst"]])
        #expect(try outbox.removalCount() == 1)
        // Nobody brings it back from there.
        #expect(try Directory.names(in: outbox.away) == [])
    }

    @Test func remembersEachBucketThatItHadUntilAPersonTakesItOffTheList() throws {
        let directory = try TemporaryDirectory()
        let outbox = try ArchiveOutbox.create(directory.path)
        #expect(try outbox.bucket() == nil && outbox.formerBuckets() == [])
        for bucket in ["a", "a", "b", "a", "c", "b"] { try outbox.begin(bucket) }
        #expect(try outbox.bucket() == "b")
        // The one that it has now may still have what it had before.
        #expect(try outbox.formerBuckets() == ["b", "a", "c"])
        try Directory.replace("\(outbox.path)/former", with: [])
        #expect(try outbox.formerBuckets() == [])
    }

    @Test func takesUpWhatWasSetAside() throws {
        let directory = try TemporaryDirectory()
        let outbox = try ArchiveOutbox.create(directory.path)
        try outbox.add(manifest(1), manifest(1).bytes)
        let name = try #require(try outbox.entries().first).name
        try outbox.setAside(name)
        #expect(try outbox.entries().isEmpty)
        try outbox.takeUp(try #require(try outbox.asideNames().first))
        #expect(try outbox.entries().map(\.name) == [name] && outbox.asideNames().isEmpty)
    }

    @Test func aPublicationStandsInTheOutboxBeforeReadersSeeItsManifest() async throws {
        let archive = try ArchiveSample("format: otlp_proto")
        let outbox = try ArchiveOutbox.create(archive.directory.path)
        try await archive.export(SampleBatch.batch(1...3))
        #expect(try outbox.entries().isEmpty)
        await archive.exporter.finish()
        let published = try #require(try archive.manifests.first)
        let entry = try #require(try outbox.entries().first)
        #expect(try outbox.manifest(entry.name)?.manifest == published)
        #expect(entry.bytes == published.files[0].bytes)
        #expect(archive.directory.files().contains(published.manifestPath))
    }

    @Test func theNameOfAnUploadedManifestSaysWhichRecordsThereAre() {
        let name = "20260203T040506Z-0000000000000007-00000000000000000012-00000000000000000034"
        let journal = JournalID(value: 7)
        #expect(ArchiveName.sequences(in: "_\(name).uploaded.json", of: journal) == 12...34)
        #expect(ArchiveName.sequences(in: "_\(name).manifest.json", of: journal) == nil)
    }
}
