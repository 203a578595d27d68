import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveExporterTests {
    private let start = SampleBatch.fourOClock
    private let hour = SampleBatch.hour

    @Test(arguments: Compression.allCases)
    func writesProtobufThatReadsBackAsWhatCameIn(compression: Compression) async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: \(compression)")
        let batches = [SampleBatch.batch(1...50), SampleBatch.batch(51...60)]
        for batch in batches { try await archive.export(batch) }
        await archive.exporter.finish()
        let file =
            "tenant=default/date=2026-02-03/hour=04/"
            + "20260203T040000Z-0000000000000007-00000000000000000001-00000000000000000002.otlp\(compression.suffix)"
        #expect(archive.directory.archiveFiles() == [file])
        #expect(try archive.messages(in: file) == batches.flatMap(\.records).map { Array($0.payload.bytes) })
    }

    @Test(arguments: Compression.allCases)
    func writesALineOfJSONForEachRecord(compression: Compression) async throws {
        let archive = try ArchiveSample("format: otlp_json", "compression: \(compression)")
        let batch = FrozenBatch(records: [
            SampleBatch.record([(1, start), (2, start + hour)]), SampleBatch.record([(3, start)], sequence: 2),
        ])
        try await archive.export(batch)
        await archive.exporter.finish()
        let files = archive.published
        try #require(files.count == 2)
        #expect(
            files.map { String($0.prefix(38)) } == ["04", "05"].map { "tenant=default/date=2026-02-03/hour=\($0)" })
        #expect(files.allSatisfy { $0.hasSuffix(".jsonl\(compression.suffix)") })
        #expect(try archive.messages(in: files[0]).map(protobuf) == [bytes([(1, start)]), bytes([(3, start)])])
        #expect(try archive.messages(in: files[1]).map(protobuf) == [bytes([(2, start + hour)])])
    }

    @Test func takesARecordThatDecodesToMoreThanAReceiverAllowsByDefault() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: none")
        let sample = SampleBatch.record([(1, start)])
        // ResourceSpans with empty ScopeSpans: two bytes each, and more than 128 MiB of records.
        let scopes = (128 << 20) / MemoryLayout<ScopeRecord>.stride + 1
        var bytes: [UInt8] = [0x0A]
        var length = 2 * scopes
        while length >= 0x80 {
            bytes.append(UInt8(length & 0x7F | 0x80))
            length >>= 7
        }
        bytes.append(UInt8(length))
        for _ in 0..<scopes { bytes += [0x12, 0x00] }
        bytes += sample.payload.bytes
        let record = JournalRecord(
            sequence: 1, tenant: "default", receivedAt: sample.receivedAt, spanCount: 1,
            payload: bytes.withUnsafeBytes { Payload.copying($0) })
        try await archive.export(FrozenBatch(records: [record]))
        await archive.exporter.finish()
        #expect(archive.published.count == 1)
    }

    @Test func hasTheBytesInTheFileWhenExportReturns() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: zstd")
        try await archive.export(SampleBatch.batch(1...3))
        #expect(archive.published == [])
        #expect(try archive.spanIDs(in: archive.open) == [1, 2, 3])
    }

    @Test func publishesAFileWhenItIsOldEnough() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "max_file_age: 1m")
        try await archive.export(SampleBatch.batch(1...1))
        archive.clock.advance(seconds: 59)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(archive.published == [])
        archive.clock.advance(seconds: 1)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(try archive.spanIDs(in: archive.published) == [1])
        #expect(archive.open == [])
    }

    @Test func publishesAFileBeforeItGetsTooLarge() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: none", "max_file_size: 8KiB")
        for id in 1...10 as ClosedRange<UInt64> {
            try await archive.export(SampleBatch.batch(id...id, padding: 3_000))
        }
        await archive.exporter.finish()
        let sizes = try archive.published.map { try archive.directory.contents(of: $0).count }
        #expect(sizes.count == 5)
        #expect(sizes.allSatisfy { $0 <= 8_192 })
        #expect(try archive.spanIDs(in: archive.published) == Array(1...10))
    }

    @Test func keepsItsLimitOfOpenFilesHoweverSpansAreScattered() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "max_open_files: 4")
        for turn in 0..<2 as Range<UInt64> {
            let records = (0..<2).map { tenant in
                SampleBatch.record(
                    (0..<70).map { (turn * 140 + tenant * 70 + $0 + 1, start - $0 * 9 * hour) }, tenant: "t\(tenant)")
            }
            try await archive.export(FrozenBatch(records: records))
            #expect(archive.open.count == 4)
        }
        await archive.exporter.finish()
        #expect(try archive.spanIDs(in: archive.published) == Array(1...280))
    }

    @Test(arguments: [ArchiveFormat.json, .proto]) func wrongClocksMakeFewFiles(format: ArchiveFormat) async throws {
        let archive = try ArchiveSample("format: \(format.rawValue)")
        var random = SplitMix64(seed: 3)
        for id in 1...300 as ClosedRange<UInt64> {
            let time = UInt64.random(in: 0 ... .max, using: &random)
            try await archive.export(
                FrozenBatch(records: [SampleBatch.record([(id, time), (id + 1_000, start)], received: start)]))
            #expect(archive.published == [])
        }
        await archive.exporter.finish()
        #expect(archive.published.count <= 3)
        #expect(try archive.spanIDs(in: archive.published) == Array(1...300) + Array(1_001...1_300))
        let manifests = try archive.manifests
        #expect(manifests.reduce(0) { $0 + $1.spans.suspects } == 300)
        #expect(archive.metrics.render().contains(#"weir_archive_spans_clock_suspect{exporter="archive"} 300"#))
        // What stands there is what was sent.
        #expect(manifests.compactMap(\.spans.times?.upperBound).max() ?? 0 > start + 1_000 * 24 * hour)
        #expect(try ArchiveContents.problems(archive.directory.path) == [])
    }

    @Test func countsFilesAndBytes() async throws {
        let archive = try ArchiveSample()
        try await archive.export(SampleBatch.batch(1...9))
        await archive.exporter.finish()
        let file = try #require(archive.published.first)
        var table = SeekTable()
        table.append(compressed: 1, content: 1)
        let footer = ArchiveFooter.bytes(ArchivedSpans(of: 1, spans: 9), of: JournalID(value: 7), .zstd, table)
        let size = try archive.directory.contents(of: file).count - footer.count
        let metrics = archive.metrics.render()
        #expect(metrics.contains(#"weir_archive_files_published{exporter="archive"} 1"#))
        #expect(metrics.contains(#"weir_archive_bytes_written{exporter="archive"} \#(size)"#))
    }

    @Test func writesNothingForABatchWithoutSpans() async throws {
        let archive = try ArchiveSample()
        try await archive.export(FrozenBatch(records: [SampleBatch.record([])]))
        await archive.exporter.finish()
        #expect(archive.directory.archiveFiles() == [])
    }

    @Test func neverReplacesAFile() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "compression: none")
        let partition = "\(archive.directory.path)/tenant=default/date=2026-02-03/hour=04"
        let name = ArchiveName(begun: archive.clock.now, journal: JournalID(value: 7), sequences: 1...1).text + ".otlp"
        try FileManager.default.createDirectory(atPath: partition, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: "\(partition)/\(name)"))
        try await archive.export(SampleBatch.batch(1...1))
        await archive.exporter.settle()
        #expect(
            archive.log.lines.last == "error: cannot publish a file yet error=link \(partition)/\(name): file exists")
        #expect(await archive.exporter.settled(through: 1) == 0)
        try FileManager.default.removeItem(atPath: "\(partition)/\(name)")
        await archive.exporter.tick(at: archive.clock.now)
        #expect(await archive.exporter.settled(through: 1) == 1)
        #expect(try archive.spanIDs(in: archive.published) == [1])
    }

    @Test func givesFilesToOwnerAndGroup() async throws {
        let archive = try ArchiveSample()
        try await archive.export(SampleBatch.batch(1...1))
        await archive.exporter.finish()
        func mode(_ path: String) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(archive.directory.path)/\(path)")
            return try #require(attributes[.posixPermissions] as? Int)
        }
        #expect(try mode(#require(archive.published.first)) & 0o137 == 0)
        #expect(try mode("tenant=default") & 0o027 == 0)
    }

    @Test func doesNotStartWhereItCannotWrite() throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(fileURLWithPath: "\(directory.path)/file"))
        #expect(throws: FileError("mkdir", "\(directory.path)/file/.open", code: ENOTDIR)) {
            _ = try ArchiveSample(in: directory, path: "\(directory.path)/file")
        }
    }

    /// A line of JSON as the protobuf message that says the same.
    private func protobuf(_ line: [UInt8]) throws -> [UInt8] {
        var batch = Batch()
        var encoder = OTLPEncoder()
        try OTLPJSONDecoder().decode(line.withUnsafeBytes { Payload.copying($0) }, into: &batch)
        return Array(encoder.bytes(of: batch))
    }

    private func bytes(_ spans: [(id: UInt64, start: UInt64)]) -> [UInt8] {
        let payload = SampleBatch.payload(spans)
        return withExtendedLifetime(payload) { Array($0.bytes) }
    }
}
