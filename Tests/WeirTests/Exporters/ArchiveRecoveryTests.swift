import Foundation
import Testing

@testable import Weir

/// What an archive does about what a process left that died.
@Suite struct ArchiveRecoveryTests {
    private let directory: TemporaryDirectory
    private let start = SampleBatch.fourOClock
    private let open: String

    init() throws {
        directory = try TemporaryDirectory()
        open = "\(directory.path)/.open/0000000000000007"
    }

    @Test func leavesOutWhatAnEarlierRunPublished() async throws {
        try await run { archive in
            try await archive.exporter.export(batch(1...4))
            await archive.exporter.settle()
        }
        try await run("compression: gzip", "format: otlp_json") { archive in
            try await archive.exporter.export(batch(1...6, recovered: 4))
            #expect(archive.metrics.render().contains(#"weir_archive_spans_not_repeated{exporter="archive"} 4"#))
            #expect(await archive.exporter.settled(through: 6) == 4)
            await archive.exporter.settle()
            #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test func writesAnewWhatAnEarlierRunDidNotPublish() async throws {
        try await run { archive in
            try await archive.exporter.export(batch(1...4))
            #expect(await archive.exporter.settled(through: 4) == 0)
        }
        #expect(directory.archiveFiles().count == 1)
        try await run { archive in
            try await archive.exporter.export(batch(1...4, recovered: 4))
            #expect(
                archive.log.lines.last == "info: removed files that an earlier run did not publish; their records "
                    + "come again files=1")
            await archive.exporter.finish()
            #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4])
        }
        #expect(!FileManager.default.fileExists(atPath: open))
    }

    @Test func writesEachPartitionAnewThatIsMissing() async throws {
        let two = FrozenBatch(
            journal: JournalID(value: 7),
            records: [
                SampleBatch.record([(1, start), (2, start + SampleBatch.hour)], sequence: 1),
                SampleBatch.record([(3, start), (4, start + SampleBatch.hour)], sequence: 2),
            ], recoveredThrough: 2)
        try await run { archive in
            try await archive.exporter.export(two)
            await archive.exporter.settle()
            try FileManager.default.removeItem(atPath: "\(directory.path)/\(archive.published[1])")
        }
        try await run { archive in
            try await archive.exporter.export(two)
            await archive.exporter.settle()
            #expect(archive.published.count == 2)
            #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4])
        }
    }

    @Test func putsNoFileOverRecordsThatItDidNotGet() async throws {
        try await run { archive in
            // 3 and 4 are under way beside them, and the process dies before they come.
            for sequences in [1...2, 5...6] as [ClosedRange<UInt64>] {
                try await archive.exporter.export(batch(sequences))
            }
            await archive.exporter.settle()
        }
        try await run { archive in
            for sequences in [5...6, 3...4, 1...2] as [ClosedRange<UInt64>] {
                try await archive.exporter.export(batch(sequences, recovered: 6))
            }
            await archive.exporter.settle()
            #expect(archive.published.map(sequences) == [1...2, 3...4, 5...6])
            #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test(arguments: [4, 9] as [UInt64])
    func putsNoFileOverRecordsThatAnotherHas(recovered: UInt64) async throws {
        try await run { archive in
            try await archive.exporter.export(batch(3...4))
            await archive.exporter.settle()
        }
        try await run { archive in
            for sequences in [1...2, 3...4, 5...6] as [ClosedRange<UInt64>] {
                try await archive.exporter.export(batch(sequences, recovered: recovered))
            }
            await archive.exporter.settle()
            #expect(archive.published.map(sequences) == [1...2, 3...4, 5...6])
            #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test func keepsAFileOpenWhenABatchFailsAndComesAgain() async throws {
        try await run { archive in
            try await archive.exporter.export(batch(1...2))
            let broken = JournalRecord(
                sequence: 4, tenant: "default", receivedAt: archive.clock.now, spanCount: 1,
                payload: [0x0A, 0xFF].withUnsafeBytes { Payload.copying($0) })
            await #expect(throws: ExportError.self) {
                try await archive.exporter.export(
                    FrozenBatch(
                        journal: JournalID(value: 7), records: batch(3...3).records + [broken], recoveredThrough: 0))
            }
            // The delivery halves it: 3 comes again, and 4 never.
            for sequences in [3...3, 5...6] as [ClosedRange<UInt64>] {
                try await archive.exporter.export(batch(sequences))
            }
            await archive.exporter.settle()
            #expect(archive.published.map(sequences) == [1...3, 5...6])
            #expect(await archive.exporter.settled(through: 6) == 6)
        }
    }

    @Test func takesAFileWithBothNamesForPublished() async throws {
        try await run { archive in
            try await archive.exporter.export(batch(1...2))
            await archive.exporter.settle()
            // The process died between link and unlink.
            try FileManager.default.linkItem(
                atPath: "\(directory.path)/\(archive.published[0])", toPath: "\(open)/20260203T040000Z-000001.otlp.open"
            )
        }
        try await run { archive in
            try await archive.exporter.export(batch(1...2, recovered: 2))
            #expect(archive.open == [])
            #expect(await archive.exporter.settled(through: 2) == 2)
            #expect(try archive.spanIDs(in: archive.published) == [1, 2])
        }
    }

    @Test func removesTornFiles() async throws {
        try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: true)
        for (name, size) in [("a.otlp.zst.open", 0), ("20260203T040000Z-000001.otlp.open", 77), ("b", 4_096)] {
            try Data(repeating: 0xA5, count: size).write(to: URL(fileURLWithPath: "\(open)/\(name)"))
        }
        try await run { archive in
            try await archive.exporter.export(batch(1...1, recovered: 1))
            #expect(archive.open.count == 1)
            await archive.exporter.finish()
            #expect(try archive.spanIDs(in: archive.published) == [1])
        }
    }

    @Test func leavesFilesOfOtherJournalsAloneAndTellsOfThem() async throws {
        let foreign = ["\(directory.path)/.open/x.jsonl.open", "\(directory.path)/.open/00000000000000aa/y.jsonl.open"]
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/.open/00000000000000aa", withIntermediateDirectories: true)
        for path in foreign { try Data("torn".utf8).write(to: URL(fileURLWithPath: path)) }
        try await run { archive in
            try await archive.exporter.export(batch(1...1))
            #expect(
                archive.log.lines.last == "warning: found unpublished files of other journals; who writes them is "
                    + "still running, or left them for good directory=\(directory.path)/.open files=2")
            await archive.exporter.finish()
        }
        #expect(foreign.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    @Test func sharesADirectoryWithOtherJournals() async throws {
        let one = try ArchiveSample("format: otlp_proto", in: directory, journal: 1)
        let two = try ArchiveSample("format: otlp_proto", in: directory, journal: 2)
        try await one.export(SampleBatch.batch(1...2))
        try await two.export(SampleBatch.batch(3...4))
        await one.exporter.settle()
        // What another journal published under the same sequences is not one's own.
        let batch = FrozenBatch(
            journal: JournalID(value: 3), records: [SampleBatch.record([(5, start)])], recoveredThrough: 1)
        let three = try ArchiveSample("format: otlp_proto", in: directory, journal: 3)
        try await three.exporter.export(batch)
        await two.exporter.finish()
        await three.exporter.finish()
        #expect(try one.spanIDs(in: one.published) == [1, 2, 3, 4, 5])
    }

    @Test func refusesASecondExporterOfTheSameJournal() async throws {
        let first = try ArchiveSample("format: otlp_proto", in: directory)
        try await first.export(SampleBatch.batch(1...1))
        try await run { second in
            let reason =
                "another exporter of the same pipeline writes to \(directory.path); give each a directory of its own"
            await #expect(throws: ExportError.retryable(reason, after: nil)) {
                try await second.exporter.export(batch(1...1))
            }
            await first.exporter.finish()
            #expect(await second.exporter.settled(through: 0) == 0)
        }
        #expect(try first.spanIDs(in: first.published) == [1])
    }

    @Test func saysWhichPartitionCannotBeRead() async throws {
        let partition = "\(directory.path)/tenant=default/date=2026-02-03"
        try FileManager.default.createDirectory(atPath: partition, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: "\(partition)/hour=04"))
        try await run { archive in
            await #expect(
                throws: ExportError.retryable("open \(partition)/hour=04: not a directory", after: nil)
            ) {
                try await archive.exporter.export(batch(1...1, recovered: 1))
            }
            try FileManager.default.removeItem(atPath: "\(partition)/hour=04")
            try await archive.exporter.export(batch(1...1, recovered: 1))
            await archive.exporter.settle()
            #expect(try archive.spanIDs(in: archive.published) == [1])
        }
    }

    @Test func findsItsFilesAmongManyOthers() async throws {
        try await run { archive in
            try await archive.exporter.export(batch(1...1))
            await archive.exporter.settle()
            let partition = "\(directory.path)/tenant=default/date=2026-02-03/hour=04"
            for number in 0..<20_000 {
                close(Glibc.open("\(partition)/20260203T040000Z-\(number.digits(6)).otlp", O_CREAT | O_WRONLY, 0o600))
            }
        }
        try await run { archive in
            try await archive.exporter.export(batch(1...1, recovered: 1))
            await archive.exporter.settle()
            #expect(archive.open == [])
            #expect(archive.metrics.render().contains(#"weir_archive_spans_not_repeated{exporter="archive"} 1"#))
        }
    }

    /// A process, until it is killed.
    private func run(_ keys: String..., body: (ArchiveSample) async throws -> Void) async throws {
        let format = keys.contains { $0.hasPrefix("format") } ? [] : ["format: otlp_proto"]
        let archive = try ArchiveSample((keys + format).joined(separator: "\n"), in: directory)
        try await body(archive)
    }

    private func sequences(_ file: String) -> ClosedRange<UInt64>? {
        file.split(separator: "/").last.flatMap { ArchiveName.sequences(in: String($0), of: JournalID(value: 7)) }
    }

    /// A record for each span.
    private func batch(_ ids: ClosedRange<UInt64>, recovered: UInt64 = 0) -> FrozenBatch {
        FrozenBatch(
            journal: JournalID(value: 7), records: ids.map { SampleBatch.record([($0, start)], sequence: $0) },
            recoveredThrough: recovered)
    }
}
