import Foundation
import Testing

@testable import Weir

/// Archives whose files are sealed as a whole.
@Suite struct SealedArchiveTests {
    private static let secret = "span 3"
    private let directory: TemporaryDirectory
    private let store: KeyStoreSample
    private let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)

    init() throws {
        directory = try TemporaryDirectory()
        store = try KeyStoreSample()
    }

    private var keys: ArchiveKeys? { ArchiveKeys([store.ring()]) }
    private var catalog: ArchiveCatalog {
        ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection(), keys: keys)
    }

    private func archive(
        _ format: ArchiveFormat, _ compression: Compression = .zstd, isSealed: Bool = true
    ) throws -> ArchiveSample {
        try ArchiveSample(
            "format: \(format.rawValue)", "compression: \(compression.rawValue)",
            "encryption: \(isSealed ? "keystore" : "off")", in: directory, extensions: store.extensions())
    }

    /// A file for each record.
    private func fill(_ format: ArchiveFormat, isSealed: Bool = true) async throws {
        let archive = try archive(format, isSealed: isSealed)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(
                FrozenBatch(journal: JournalID(value: 7), records: [record], recoveredThrough: 0))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
    }

    private func manifests() throws -> [ArchiveManifest] {
        var found: [ArchiveManifest] = []
        try catalog.visit { if let manifest = $0.published?.manifest { found.append(manifest) } }
        return found
    }

    private func destroy(_ id: UInt64) async throws {
        _ = try await store.ring().store.run { database throws(KeyError) in
            try database.destroy(.id(id), at: .now())
        }
    }

    @Test(arguments: ArchiveFormat.allCases, Compression.allCases)
    func nothingStandsInClearOnTheWayOrAtTheEnd(format: ArchiveFormat, compression: Compression) async throws {
        let archive = try archive(format, compression)
        let records = try ErasureSample.records()
        try await archive.exporter.export(
            FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: 0))
        // Rows wait in memory.
        #expect(archive.open.count == (format == .parquet ? 0 : 1))
        #expect(try directory.files(with: Self.secret) == [])
        await archive.exporter.finish()
        #expect(try directory.files(with: Self.secret) == [])
        #expect(archive.published.allSatisfy { $0.hasSuffix(format.suffix(compression) + ".sealed") })
        #expect(archive.open == [] && archive.published.count == (format == .parquet ? 3 : 1))
        #expect(try ArchiveContents.spanIDs(of: directory, format, keys) == Array(1...7))
        #expect(try ArchiveContents.problems(directory.path) == [])
        // One key, which the store has, and which the manifest names.
        let manifest = try #require(try manifests().first)
        let id = try #require(manifest.keyID)
        for file in manifest.files {
            let header = try directory.contents(of: file.path).prefix(FileSeal.headerSize)
            #expect(FileSeal.keyID(of: Array(header)) == id)
        }
        let rows = try await store.ring().store.run { database throws(KeyError) in try database.keys([id]) }
        #expect(rows.map(\.keyClass) == [.archive] && rows.map(\.tenant) == ["default"])
    }

    @Test(arguments: ArchiveFormat.allCases) func theFilterIsSealedToo(format: ArchiveFormat) async throws {
        try await fill(format)
        #expect(try filters(have: ErasureSample.traces).allSatisfy { $0 })
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        #expect(try ArchiveCompaction(catalog, rules, nil).run(at: later).made == 1)
        #expect(try filters(have: ErasureSample.traces) == [true])
        #expect(try ArchiveContents.problems(directory.path) == [])
    }

    /// Whether each of the filters, which without the key says nothing, has one of the traces.
    private func filters(have traces: Set<TraceID>) throws -> [Bool] {
        try manifests().map { manifest in
            let bloom = try #require(manifest.bloom)
            let bytes = try directory.contents(of: bloom.path)
            #expect(FileSeal.keyID(of: Array(bytes.prefix(FileSeal.headerSize))) == manifest.keyID)
            #expect(BloomFilter(written: bytes) == nil && bloom.bytes == bytes.count)
            let blind = ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
            let any = TraceID(high: 1, low: 1)
            #expect(throws: FileError.self) { try ArchiveSearch(trace: any, catalog: blind).mayHave(manifest) }
            let other = TraceID(high: 0xA1, low: 0xB2)
            #expect(try !ArchiveSearch(trace: other, catalog: catalog).mayHave(manifest))
            return try traces.contains { try ArchiveSearch(trace: $0, catalog: catalog).mayHave(manifest) }
        }
    }

    @Test(arguments: ArchiveFormat.allCases) func filesAreMergedAndErasedFrom(format: ArchiveFormat) async throws {
        try await fill(format)
        let rules = CompactionRules(after: .seconds(6 * 3_600), target: 256 << 20)
        var outcome = try ArchiveCompaction(
            ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection()), rules, nil
        ).run(at: later)
        #expect(outcome.merged == 0 && Set(outcome.unreadable.values) == [.unavailable])
        outcome = try ArchiveCompaction(catalog, rules, nil).run(at: later)
        #expect(outcome.merged == 4 && outcome.made == 1 && outcome.spans == 7)
        #expect(try directory.files(with: Self.secret) == [])
        #expect(try ArchiveContents.problems(directory.path) == [])
        #expect(try manifests().map { $0.keyID != nil } == [true])
        #expect(try ArchiveContents.spanIDs(of: directory, format, keys) == Array(1...7))
        let matcher = ErasureSample.matcher()
        let erasure = try #require(try ArchiveErasure(directory.path, keys))
        let erased = try erasure.erase(matcher, traces: try erasure.traces(of: matcher), at: later)
        #expect(erased.spans == 4)
        #expect(try ArchiveContents.spanIDs(of: directory, format, keys) == ErasureSample.left)
        #expect(try ArchiveContents.problems(directory.path) == [])
        #expect(try directory.files(with: Self.secret) == [])
        #expect(try manifests().map { $0.keyID != nil } == [true])
    }

    @Test func whoReadsThemIsInTheAuditWhateverAFileIsCalled() async throws {
        try await fill(.json)
        let path = try #require(try manifests().first?.files.first?.path)
        let (copy, link) = ("\(directory.path)/copy.jsonl.zst", "\(directory.path)/link.jsonl.zst")
        try Data(try directory.contents(of: path)).write(to: URL(fileURLWithPath: copy))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: copy)
        let plain = "\(directory.path)/plain.jsonl.zst"
        try await fill(.json, isSealed: false)
        let unsealed = try #require(try manifests().first { $0.keyID == nil }?.files.first?.path)
        try Data(try directory.contents(of: unsealed)).write(to: URL(fileURLWithPath: plain))
        // The key is in the second of them.
        let other = try KeyStoreSample()
        let audited = ArchiveKeys([other.ring(), store.ring()])?.audited("archive cat", by: "root")
        for path in [copy, link, copy, plain] {
            var batch = Batch()
            try #require(ArchiveFileReader(path, audited)).read(into: &batch) { _ in }
        }
        let entries = try await store.ring().store.run { database throws(KeyError) in try database.audits(limit: 9) }
        #expect(entries.map(\.detail) == [link, copy] && Set(entries.map(\.action)) == ["archive cat"])
        let others = try await other.ring().store.run { database throws(KeyError) in try database.audits(limit: 9) }
        #expect(others.isEmpty)
        // Nobody is shown what is not in the audit.
        let file = try SQLiteFile(store.path, SQLiteMigration.keys, at: later)
        try file.runAlone { db in
            try db.execute(sql: "CREATE TRIGGER t BEFORE INSERT ON key_audit BEGIN SELECT RAISE(ABORT, 'full'); END")
        }
        file.close()
        let again = ArchiveKeys([store.ring()])?.audited("archive cat", by: "root")
        var batch = Batch()
        #expect(throws: FileError.self) {
            try #require(ArchiveFileReader(copy, again)).read(into: &batch) { _ in }
        }
    }

    /// So that it is destroyed with the last of their days, and not with the day on which they were merged.
    @Test func aFileThatIsWrittenAnewHasTheNewestKeyOfThose() async throws {
        try await fill(.proto)
        let ring = store.ring()
        var found = try manifests()
        try #require(found.count == 4)
        let days = [3, 9, 9, 5].map { Timestamp(nanoseconds: $0 * Day.nanoseconds) }
        var keys: [DataKey] = []
        for (index, day) in days.enumerated() {
            let key = try ring.durableKey(for: "default", .archive, .xaes256gcm, at: day)
            keys.append(key)
            found[index].keyID = key.id
        }
        #expect(try self.keys.key(of: found, "f")?.id == keys[1].id)
        #expect(try self.keys.key(of: [found[3], found[0]], "f")?.id == keys[3].id)
        for index in found.indices { found[index].keyID = nil }
        #expect(try self.keys.key(of: found, "f") == nil)
    }

    @Test func filesAreMergedWithTheirLike() async throws {
        try await fill(.proto)
        let archive = try archive(.proto, isSealed: false)
        for sequence in [90, 91] as [UInt64] {
            let record = SampleBatch.record([(sequence, SampleBatch.fourOClock)], sequence: sequence)
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let rules = CompactionRules(after: .seconds(6 * 3_600), target: 256 << 20)
        #expect(try ArchiveCompaction(catalog, rules, nil).run(at: later).made == 2)
        #expect(try manifests().map { $0.keyID != nil }.sorted { $0 && !$1 } == [true, false])
        #expect(try ArchiveContents.spanIDs(of: directory, .proto, keys) == Array(1...7) + [90, 91])
    }

    @Test(arguments: ArchiveFormat.allCases)
    func aManifestThatHidesThatItsFileIsSealedIsFound(format: ArchiveFormat) async throws {
        try await fill(format)
        let changed = try #require(try manifests().first)
        let path = "\(directory.path)/\(changed.manifestPath)"
        let text = String(decoding: try directory.contents(of: changed.manifestPath), as: UTF8.self)
        let field = try #require(text.range(of: #","encryption":\{[^}]*\}"#, options: .regularExpression))
        try FileManager.default.removeItem(atPath: path)
        try Data(text.replacingCharacters(in: field, with: "").utf8).write(to: URL(fileURLWithPath: path))
        let problems = try ArchiveContents.problems(directory.path)
        let file = try #require(changed.files.first?.path)
        #expect(problems.contains("\(file): is sealed, and its manifest does not say so"))
        // And what else is wrong with it.
        #expect(problems.count == 2, "\(problems)")
    }

    @Test(arguments: ArchiveFormat.allCases) func aDestroyedKeyIsADestroyedFile(format: ArchiveFormat) async throws {
        try await fill(format)
        try await destroy(try #require(try manifests().first?.keyID))
        #expect(throws: FileError.self) { try ArchiveContents.spanIDs(of: directory, format, keys) }
        // They are as whole as before, and in nobody's way.
        #expect(try ArchiveContents.problems(directory.path) == [])
        let rules = CompactionRules(after: .seconds(6 * 3_600), target: 256 << 20)
        let outcome = try ArchiveCompaction(catalog, rules, nil).run(at: later)
        #expect(outcome.merged == 0 && outcome.unreadable.count == 4 && Set(outcome.unreadable.values) == [.destroyed])
        let erasure = try #require(try ArchiveErasure(directory.path, keys))
        #expect(try erasure.traces(of: ErasureSample.matcher()) == [])
        // A new file gets a new key.
        let archive = try archive(format)
        try await archive.exporter.export(FrozenBatch(records: [SampleBatch.record([(9, 5)], sequence: 9)]))
        await archive.exporter.finish()
        #expect(Set(try manifests().map(\.keyID)).count == 2)
    }

    @Test(arguments: ArchiveFormat.allCases)
    func anErasureStopsWhereNobodyKnowsWhatIsInAFile(format: ArchiveFormat) async throws {
        try await fill(format)
        try store.write(KeyStoreSample.second)
        let erasure = try #require(try ArchiveErasure(directory.path, keys))
        let error = #expect(throws: FileError.self) { try erasure.traces(of: ErasureSample.matcher()) }
        #expect(error?.unreadable == .noKeyEncryptionKey)
    }

    @Test(arguments: ArchiveFormat.allCases) func aTenantsFileOpensAmongNoOthers(format: ArchiveFormat) async throws {
        try await fill(format)
        let file = try #require(try manifests().first?.files.first?.path)
        let other = "\(directory.path)/\(file.replacing("tenant=default", with: "tenant=other"))"
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: other), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(directory.path)/\(file)", toPath: other)
        let error = #expect(throws: FileError.self) { _ = try FileReader(other, opening: keys) }
        #expect(error?.unreadable == .notAuthentic)
        // Two of one tenant that change names are found by their hashes.
        let files = try manifests().compactMap(\.files.first?.path).map { "\(directory.path)/\($0)" }
        try Directory.removeFile(other)
        try Directory.move(files[0], to: other)
        try Directory.move(files[1], to: files[0])
        try Directory.move(other, to: files[1])
        #expect(try ArchiveContents.problems(directory.path).count { $0.contains("found") } >= 2)
    }

    @Test(arguments: ArchiveFormat.allCases) func withoutAKeyNoFileIsBegun(format: ArchiveFormat) async throws {
        try Directory.removeFile(store.keyFile)
        let archive = try archive(format)
        let batch = FrozenBatch(records: [SampleBatch.record([(1, 5)], sequence: 1)])
        let error = await #expect(throws: ExportError.self) { try await archive.exporter.export(batch) }
        guard case .retryable(let reason, _) = try #require(error) else {
            Issue.record("found \(String(describing: error)), wanted one that may pass")
            return
        }
        #expect(reason.contains("no key encryption key"))
        #expect(archive.open == [] && archive.published == [])
        // Once it is there, work goes on.
        try store.write(KeyStoreSample.first)
        try await archive.exporter.export(batch)
        await archive.exporter.finish()
        #expect(try ArchiveContents.spanIDs(of: directory, format, keys) == [1])
    }

    @Test(arguments: ArchiveFormat.allCases) func whatAProcessLeftIsWrittenAgain(format: ArchiveFormat) async throws {
        let batch = FrozenBatch(records: try ErasureSample.records())
        let first = try archive(format)
        try await first.exporter.export(batch)
        let left = first.open.filter { !$0.hasSuffix("/lock") }
        #expect(left.count == (format == .parquet ? 0 : 1))
        // As a copy, since the first one is no process that can die.
        let other = try TemporaryDirectory()
        for file in left {
            let target = "\(other.path)/\(file)"
            try FileManager.default.createDirectory(
                atPath: Directory.parent(of: target), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(directory.path)/\(file)", toPath: target)
        }
        let second = try ArchiveSample(
            "format: \(format.rawValue)", "encryption: keystore", in: other, extensions: store.extensions())
        try await second.exporter.export(batch)
        await second.exporter.finish()
        #expect(try ArchiveContents.spanIDs(of: other, format, keys) == Array(1...7))
        #expect(second.open == [])
        await first.exporter.finish()
    }

    /// Rows that wait in memory are sealed with the key that there is when they are written.
    @Test func aKeyMayBeDestroyedWhileRowsAreCollected() async throws {
        let archive = try archive(.parquet)
        try await archive.exporter.export(FrozenBatch(records: try ErasureSample.records()))
        let rows = try await store.ring().store.run { database throws(KeyError) in
            try database.keys(after: nil, limit: 10)
        }
        #expect(archive.open == [] && rows.map(\.keyClass) == [.archive])
        try await destroy(try #require(rows.first?.id))
        let keystore: KeystoreExtension = try archive.extensions.find(ComponentID(type: "keystore"))
        try await keystore.ring.refresh(at: .now())
        await archive.exporter.finish()
        #expect(archive.open == [] && archive.published.count == 3)
        #expect(try ArchiveContents.spanIDs(of: directory, .parquet, keys) == Array(1...7))
        #expect(try manifests().first?.keyID != rows.first?.id)
        #expect(try filters(have: ErasureSample.traces) == [true])
    }

    @Test func aManifestSaysWithWhichKey() throws {
        let manifest = ArchiveManifest(
            number: 1, previous: nil, journal: "7", tenant: "a", format: .json, compression: .none,
            spans: ArchivedSpans(of: 1, spans: 1), created: "",
            files: [ArchiveManifest.File(path: "x", dataset: nil, rows: 1, bytes: 1, sha256: "")],
            keyID: 0xFFFF_0000_0000_0001)
        let text = String(decoding: manifest.bytes, as: UTF8.self)
        #expect(text.contains(#""encryption":{"algorithm":"aes-256-gcm","key_ids":["ffff000000000001"]}"#))
        #expect(manifest.bytes.withUnsafeBytes { ArchiveManifest($0) } == manifest)
        let broken = Array(text.replacing("ffff000000000001", with: "no number").utf8)
        #expect(broken.withUnsafeBytes { ArchiveManifest($0) } == nil)
    }

    @Test(arguments: ArchiveFormat.allCases)
    func aManifestSaysWithWhichKeysFieldsAreEncrypted(format: ArchiveFormat) async throws {
        let sample = try await EncryptionSample(["app.*"], subjects: ["user.id"])
        var spans: [SpanFixture] = []
        for user in ["maria", "bob"] {
            spans.append(
                SpanFixture(
                    ("user.id", .string(user)), ("app", .string(#"{"in":"{\"ssn\":\"x\"}"}"#)),
                    ("app.list", .array([.string("y")]))))
        }
        let payload = try sample.encrypted(spans)
        let ids = try EncryptionSample.keyIDs(payload)
        #expect(ids.count == 2)
        let archive = try archive(format)
        let record = JournalRecord(
            sequence: 1, tenant: "default", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock), spanCount: 2,
            payload: payload)
        try await archive.exporter.export(FrozenBatch(records: [record]))
        await archive.exporter.finish()
        let found = try manifests().map(\.fieldKeys)
        #expect(found.map { $0?.ids } == [ids])
        #expect(found.first??.hasMore == false)
    }

    @Test func keysOfFieldsAreCountedUpToALimit() throws {
        var keys = ArchivedKeyIDs()
        let sample = (0..<UInt64(ArchivedKeyIDs.maxCount + 5)).map { id -> [UInt8] in
            let head = [Envelope.magic, 1, 1] + withUnsafeBytes(of: id.bigEndian) { Array($0) }
            return Array("x weir1.\(Base64URL.encode(head + [UInt8](repeating: 0, count: 40)))\"".utf8)
        }
        (sample[0] + Array("weir1.AAAA weir1.notanenvelopeatall weir1.".utf8)).withUnsafeBytes { keys.add(from: $0) }
        #expect(keys.ids == [0] && !keys.hasMore)
        Array(sample.joined()).withUnsafeBytes { keys.add(from: $0) }
        #expect(keys.ids.count == ArchivedKeyIDs.maxCount && keys.hasMore)
        var writer = JSONWriter(capacity: 64)
        writer.value(keys.tree)
        let read = Array(writer.written).withUnsafeBytes { JSONTreeReader.value($0).flatMap(ArchivedKeyIDs.init) }
        #expect(read == keys)
        #expect(ArchivedKeyIDs.merged([keys, nil]) == nil && ArchivedKeyIDs.merged([keys, keys]) == keys)
    }
}
