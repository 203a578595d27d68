import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveErasureTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: ArchiveFormat.allCases, Compression.allCases)
    func writesFilesAnewWithoutASubject(format: ArchiveFormat, compression: Compression) async throws {
        try await fill(format, compression)
        let names = directory.files()
        let erasure = try #require(try ArchiveErasure(directory.path))
        #expect(try erasure.traces(of: ErasureSample.matcher()) == ErasureSample.traces)
        let erased = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        #expect(erased.spans == 4)
        #expect(erased.rewritten.allSatisfy { $0.before != $0.after && $0.after.count == 64 })
        #expect(directory.files() == names)
        #expect(try problems() == [])
        #expect(try spanIDs(format) == ErasureSample.left)
        #expect(try directory.files(with: ErasureSample.person) == [])
        #expect(try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now).spans == 0)
    }

    @Test func saysWhatItIsInPlaceOf() async throws {
        try await fill(.json)
        let before = try manifests()
        let erasure = try #require(try ArchiveErasure(directory.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        let eve = ErasureSample.matcher("user.id", ["eve"])
        _ = try erasure.erase(eve, traces: try erasure.traces(of: eve), at: now)
        let after = try manifests()
        #expect(after.map(\.number) == before.map(\.number))
        #expect(after.map(\.previous) == before.map(\.previous))
        #expect(after.map(\.supersedes.count) == [1, 0, 1, 2])
        #expect(try problems() == [])
    }

    @Test func theChainGoesOnBehindAManifestThatWasReplaced() async throws {
        try await fill(.proto)
        let erasure = try #require(try ArchiveErasure(directory.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        try await archive.exporter.export(
            FrozenBatch(records: [SampleBatch.record([(9, SampleBatch.fourOClock)], sequence: 9)]))
        await archive.exporter.finish()
        #expect(try problems() == [])
        #expect(try manifests().count == 5)
    }

    @Test func recordsThatWereErasedAreNotWrittenAgain() async throws {
        try await fill(.proto)
        let erasure = try #require(try ArchiveErasure(directory.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        try await archive.exporter.export(
            FrozenBatch(
                journal: JournalID(value: 7), records: try ErasureSample.records(), recoveredThrough: 4))
        await archive.exporter.finish()
        #expect(try spanIDs(.proto) == ErasureSample.left)
    }

    @Test(arguments: ArchiveFormat.allCases) func goesOnWhereItWasKilled(format: ArchiveFormat) async throws {
        // What stands there after a whole run, and before.
        let whole = try TemporaryDirectory()
        try await fill(format, in: whole)
        let names = whole.files()
        let before = try names.map { try whole.contents(of: $0) }
        _ = try ArchiveErasure(whole.path)?.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        let after = try names.map { try whole.contents(of: $0) }
        let manifests = names.indices.filter { names[$0].hasSuffix(".manifest.json") && before[$0] != after[$0] }
        let manifest = try #require(manifests.first)
        let read = try #require(after[manifest].withUnsafeBytes { ArchiveManifest($0) })
        let stem = ".erasing/\(read.journal)-\(read.number)"
        // Killed with so many of the names given: -1 is before the draft of the manifest was there.
        for step in -1...read.allFiles.count {
            let left = try TemporaryDirectory()
            for (name, bytes) in zip(names, before) { try write(bytes, to: name, of: left) }
            for (index, file) in read.allFiles.enumerated() {
                let bytes = after[try #require(names.firstIndex(of: file.path))]
                try write(bytes, to: index < step ? file.path : "\(stem).\(index)", of: left)
            }
            if step >= 0 { try write(after[manifest], to: "\(stem).manifest.json", of: left) }
            let erasure = try #require(try ArchiveErasure(left.path))
            #expect(left.files() == names, "step \(step)")
            #expect(try problems(left) == [], "step \(step)")
            _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
            #expect(try names.map { try left.contents(of: $0) } == after, "step \(step)")
        }
    }

    @Test(arguments: ArchiveFormat.allCases)
    func opensOnlyWhatMayHaveSpansOfASubject(format: ArchiveFormat) async throws {
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        let digits = (1...50).map { UInt64($0).digits(2, radix: 16) }
        for (number, digits) in digits.enumerated() {
            let user = number == 30 ? ErasureSample.person : "user \(number)"
            let span = ErasureSample.span(UInt64(number + 1), trace: "", user: user).replacing(
                #""traceId":"""#, with: #""traceId":"\#(String(repeating: digits, count: 16))""#)
            let record = try ErasureSample.record(UInt64(number + 1), resource: "", [span])
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        let erasure = try #require(try ArchiveErasure(directory.path))
        let matcher = ErasureSample.matcher()
        var empty: Set<String> = []
        let traces = try erasure.traces(of: matcher, &empty)
        #expect(traces.map(\.text) == [String(repeating: digits[30], count: 16)] && empty.count == 49)
        // A file that is opened from here on is an error, but for the person's own.
        let own = try #require(try manifests().first { !empty.contains(ArchiveManifest.hash($0.bytes)) })
        let others = try manifests().filter { $0.number != own.number }.flatMap { $0.files.map(\.path) }
        #expect(others.count >= 49)
        for path in others { try write([1, 2, 3], to: path, of: directory) }
        #expect(throws: (any Error).self) { try erasure.traces(of: matcher) }
        var nobody: Set<String> = []
        #expect(try erasure.traces(of: ErasureSample.matcher("n", ["31"]), among: traces, &nobody) == traces)
        #expect(try erasure.erase(matcher, traces: traces, at: now).spans == 1)
        #expect(try erasure.traces(of: matcher, &empty) == [])
        #expect(empty.count == 50)
    }

    @Test func twoDoNotEraseAtATime() async throws {
        try await fill(.json)
        let erasure = try ArchiveErasure(directory.path)
        #expect(try ArchiveErasure(directory.path) == nil)
        withExtendedLifetime(erasure) {}
    }

    @Test func aDamagedParquetFileIsAnError() async throws {
        try await fill(.parquet)
        let path = try #require(directory.files().first { $0.hasPrefix("spans/") && $0.hasSuffix(".parquet") })
        let bytes = try directory.contents(of: path)
        var random = SplitMix64(seed: 1)
        for _ in 0..<100 {
            var changed = bytes
            for _ in 0..<4 {
                changed[Int.random(in: changed.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            }
            try write(changed, to: path, of: directory)
            // Whatever comes of it, nothing ends the process.
            _ = try? ArchiveErasure(directory.path)?.traces(of: ErasureSample.matcher())
            try write(Array(bytes.prefix(Int.random(in: bytes.indices, using: &random))), to: path, of: directory)
            #expect(throws: (any Error).self) {
                try ArchiveErasure(directory.path)?.traces(of: ErasureSample.matcher())
            }
        }
    }

    // MARK: -

    /// A file for each record.
    private func fill(
        _ format: ArchiveFormat, _ compression: Compression = .zstd, in other: TemporaryDirectory? = nil
    ) async throws {
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", "compression: \(compression.rawValue)", in: other ?? directory)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
    }

    private func manifests() throws -> [ArchiveManifest] {
        try directory.files().filter { $0.hasSuffix(".manifest.json") }.map { file in
            try #require(try directory.contents(of: file).withUnsafeBytes { ArchiveManifest($0) })
        }.sorted { $0.number < $1.number }
    }

    private func problems(_ other: TemporaryDirectory? = nil) throws -> [String] {
        let root = (other ?? directory).path
        var found: [String] = []
        var verification = ArchiveVerification(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()))
        try verification.run { found.append($0) }
        return found
    }

    private func spanIDs(_ format: ArchiveFormat) throws -> [UInt64] {
        // Of some nothing is left.
        let files = try directory.archiveFiles().filter { try !ArchiveReader.isEmpty($0, of: directory) }
        guard format == .parquet else { return try ArchiveReader.spanIDs(in: files, of: directory) }
        return try files.filter { $0.hasPrefix("spans/") }.flatMap { file in
            let reader = try ParquetReader("\(directory.path)/\(file)")
            let column = try #require(reader.column("span_id"))
            return try reader.groups.flatMap { group in
                let values = try reader.values(of: column, in: group)
                return (0..<group.rows).compactMap { row in
                    values.text(row).flatMap { UInt64(String(decoding: $0, as: UTF8.self), radix: 16) }
                }
            }
        }.sorted()
    }

    private func write(_ bytes: [UInt8], to name: String, of directory: TemporaryDirectory) throws {
        let path = "\(directory.path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: path), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
