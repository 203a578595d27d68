import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveFilesTests {
    private let directory: TemporaryDirectory
    private let log = LogCapture()
    private let metrics = MetricRegistry()
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let a = ArchivePartition(tenant: "a", hour: 0)
    private let b = ArchivePartition(tenant: "b", hour: 0)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func publishesNothingOfAStepThatIsNotOver() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        try append("two", 2, to: b, of: files)
        #expect(directory.archiveFiles().allSatisfy { $0.hasPrefix(".open/") })
        files.commit()
        #expect(try published() == ["tenant=a 1-1": "one"])
        #expect(files.settled(through: 2) == 1)
    }

    @Test func takesAStepBackInFilesThatWereClosedMeanwhile() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        files.commit()
        try append(" two", 2, to: a, of: files)
        try append("three", 3, to: b, of: files)
        files.rollBack(at: now)
        #expect(try published() == ["tenant=a 1-1": "one"])
        files.finish(at: now)
        #expect(try published() == ["tenant=a 1-1": "one"])
        #expect(directory.archiveFiles().count == 1)
        #expect(files.settled(through: 3) == 3)
    }

    @Test func leavesNothingOfAFileThatOnlyTheStepWroteTo() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        try append("two", 2, to: b, of: files)
        files.rollBack(at: now)
        try append("three", 3, to: b, of: files)
        files.commit()
        files.finish(at: now)
        #expect(try published() == ["tenant=b 3-3": "three"])
        #expect(directory.archiveFiles().count == 1)
    }

    @Test func endsAFileWhereARecordOfItsPartitionIsElsewhere() throws {
        let files = try files(open: 3)
        try append("one", 1, to: a, of: files)
        try append(" two", 4, since: 1, to: a, of: files)
        try append("three", 6, since: 5, to: a, of: files)
        try append("four", 2, since: 2, to: a, of: files)
        files.commit()
        files.settle(at: now)
        #expect(try published() == ["tenant=a 1-4": "one two", "tenant=a 6-6": "three", "tenant=a 2-2": "four"])
    }

    @Test func settlesWhatIsPublishedAndNothingAbove() throws {
        let files = try files(open: 3)
        #expect(files.settled(through: 9) == 9)
        try append("one", 3, to: a, of: files)
        try append("two", 5, to: b, of: files)
        files.commit()
        #expect(files.settled(through: 9) == 2)
        try append("three", 7, since: 6, to: a, of: files)
        files.commit()
        #expect(files.settled(through: 9) == 4)
        #expect(files.settled(through: 3) == 3)
        files.settle(at: now)
        #expect(files.settled(through: 9) == 9)
    }

    @Test func settlesNothingOfAFileThatCannotBePublishedYet() throws {
        let files = try files(open: 3)
        let obstacle = URL(fileURLWithPath: "\(directory.path)/tenant=a")
        try Data().write(to: obstacle)
        try append("one", 1, to: a, of: files)
        try append("two", 2, to: b, of: files)
        files.commit()
        files.settle(at: now)
        #expect(files.settled(through: 2) == 0)
        #expect(files.unpublishedCount == 1)
        try FileManager.default.removeItem(at: obstacle)
        files.tick(at: now)
        #expect(files.settled(through: 2) == 2)
        #expect(try published() == ["tenant=a 1-1": "one", "tenant=b 2-2": "two"])
    }

    @Test func movesWhatCannotBeSyncedToAnotherFile() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        files.commit()
        let file = "\(directory.path)/\(try #require(directory.archiveFiles().first))"
        // What is written to it is gone, and it cannot be synced; but the bytes are there, as in the system's memory.
        try redirect(file, to: "/dev/null")
        let footer = ArchiveFooter.bytes(ArchivedSpans(of: 1, spans: 1), of: JournalID(value: 7), .gzip)
        try (Data("one".utf8) + footer).write(to: URL(fileURLWithPath: file))
        files.settle(at: now)
        #expect(log.lines == ["error: cannot complete a file yet error=fsync \(file): invalid argument"])
        #expect(files.settled(through: 1) == 1)
        #expect(try published() == ["tenant=a 1-1": "one"])
        #expect(directory.archiveFiles().count == 1)
    }

    @Test func keepsRecordsUnsettledThatCannotBeHadFromTheirFileAnyMore() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        files.commit()
        // Neither that nor the footer is in the file then.
        try redirect("\(directory.path)/\(try #require(directory.archiveFiles().first))", to: "/dev/null")
        try append("two", 2, to: a, of: files)
        files.commit()
        files.settle(at: now)
        files.tick(at: now)
        #expect(log.lines.last?.hasPrefix("error: lost a file; ") == true)
        #expect(try published() == [:])
        try append("three", 3, to: a, of: files)
        files.commit()
        files.settle(at: now)
        #expect(files.settled(through: 3) == 0)
        #expect(files.unpublishedCount == 0)
        #expect(try published() == ["tenant=a 3-3": "three"])
        #expect(metrics.render().contains(#"weir_archive_files_abandoned{exporter="archive"} 1"#))
    }

    @Test func goesOnInANewFileWhereTheOldOneVanished() throws {
        let files = try files(open: 1)
        try append("one", 1, to: a, of: files)
        files.commit()
        let lost = "\(directory.path)/\(directory.archiveFiles()[0])"
        try FileManager.default.removeItem(atPath: lost)
        try append("two", 2, to: b, of: files)
        files.commit()
        files.finish(at: now)
        #expect(try published() == ["tenant=b 2-2": "two"])
        #expect(files.settled(through: 2) == 0)
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("error: lost a file; the journal keeps its records, and ") == true)
        #expect(log.lines.first?.hasSuffix(" first=1 path=\(lost)") == true)
    }

    private func files(open count: Int) throws -> ArchiveFiles {
        let configuration = try #require(
            read(
                ArchiveConfiguration.self,
                "{ directory: d, format: otlp_proto, compression: gzip, max_open_files: \(count) }"))
        let archive = try #require(try ArchiveDirectory(directory.path, for: JournalID(value: 7)))
        let context = Context(id: ComponentID(type: "archive"), logger: log.logger, metrics: metrics)
        return ArchiveFiles(
            in: archive, configuration, ArchiveTelemetry(context), log.logger, clock: { [now] in now })
    }

    private func append(
        _ text: String, _ sequence: UInt64, since: UInt64 = 1, to partition: ArchivePartition, of files: ArchiveFiles
    ) throws {
        let messages = ArchiveMessages(
            partition: partition, since: since, spans: ArchivedSpans(of: sequence, spans: 1))
        try Array(text.utf8).withUnsafeBytes { try files.append($0, of: messages, at: now) }
    }

    /// What readers see, without the footer, by the first directory and the records in the name.
    private func published() throws -> [String: String] {
        var found: [String: String] = [:]
        for file in directory.archiveFiles() where !file.hasPrefix(".open/") {
            let name = try #require(file.split(separator: "/").last)
            let sequences = try #require(ArchiveName.sequences(in: String(name), of: JournalID(value: 7)))
            let content = try directory.contents(of: file).prefix { $0 != 0x1F }
            let key = "\(file.prefix(8)) \(sequences.lowerBound)-\(sequences.upperBound)"
            found[key] = String(decoding: content, as: UTF8.self)
        }
        return found
    }

    /// Has the descriptor under which this process has one file open stand for another.
    private func redirect(_ path: String, to other: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let found = names.first { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) == path
        }
        let target = try #require(found.flatMap(Int32.init))
        let descriptor = open(other, O_WRONLY | O_APPEND)
        #expect(dup2(descriptor, target) == target)
        close(descriptor)
    }
}
