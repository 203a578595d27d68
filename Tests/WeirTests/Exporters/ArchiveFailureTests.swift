import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveFailureTests {
    private let start = SampleBatch.fourOClock
    private let hour = SampleBatch.hour

    @Test func takesABatchBackWhereAFileCannotBeOpened() async throws {
        let archive = try ArchiveSample("format: otlp_proto")
        try await archive.export(SampleBatch.batch(1...1))
        try archive.block()
        let batch = FrozenBatch(records: [SampleBatch.record([(2, start), (3, start + hour)])])
        await #expect(throws: ExportError.self) { try await archive.export(batch) }
        try archive.unblock()
        #expect(try archive.spanIDs(in: archive.open) == [1])
        try await archive.export(batch)
        await archive.exporter.finish()
        #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3])
    }

    @Test func saysWhatWentWrongAndThatItMayPass() async throws {
        let archive = try ArchiveSample()
        try archive.block()
        let reason = "mkdir \(archive.directory.path)/.open/0000000000000007: not a directory"
        await #expect(throws: ExportError.retryable(reason, after: nil)) {
            try await archive.export(SampleBatch.batch(1...1))
        }
    }

    @Test func createsADirectoryThatWasTidiedAway() async throws {
        let archive = try ArchiveSample("format: otlp_proto")
        try FileManager.default.removeItem(atPath: "\(archive.directory.path)/.open")
        try await archive.export(SampleBatch.batch(1...1))
        await archive.exporter.finish()
        #expect(try archive.spanIDs(in: archive.published) == [1])
    }

    @Test func publishesAtALaterTickWhereAPartitionCannotBeCreated() async throws {
        let archive = try ArchiveSample("format: otlp_proto")
        let obstacle = URL(fileURLWithPath: "\(archive.directory.path)/tenant=default")
        try Data().write(to: obstacle)
        try await archive.export(SampleBatch.batch(1...1))
        archive.clock.advance(seconds: 60)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(archive.log.lines.dropFirst().first?.hasPrefix("error: cannot publish a file yet error=mkdir ") == true)
        #expect(archive.open.count == 1)
        try FileManager.default.removeItem(at: obstacle)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(try archive.spanIDs(in: archive.published) == [1])
    }

    @Test func takesNoMoreWhileTooManyFilesWaitToBePublished() async throws {
        let archive = try ArchiveSample("format: otlp_proto", "max_open_files: 2")
        let obstacle = URL(fileURLWithPath: "\(archive.directory.path)/tenant=default")
        try Data().write(to: obstacle)
        for number in 1...4 as ClosedRange<UInt64> {
            try await archive.export(SampleBatch.batch(number...number, start: start + number * hour))
        }
        await #expect(throws: ExportError.retryable("2 files cannot be published", after: nil)) {
            try await archive.export(SampleBatch.batch(5...5))
        }
        try FileManager.default.removeItem(at: obstacle)
        try await archive.export(SampleBatch.batch(5...5))
        await archive.exporter.finish()
        #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4, 5])
    }

    @Test func refusesARecordThatIsNotOTLPForGood() async throws {
        let archive = try ArchiveSample()
        let broken = JournalRecord(
            sequence: 1, tenant: "default", receivedAt: archive.clock.now, spanCount: 1,
            payload: [0x0A, 0xFF].withUnsafeBytes { Payload.copying($0) })
        do throws(ExportError) {
            try await archive.export(FrozenBatch(records: [SampleBatch.record([(1, start)]), broken]))
            Issue.record("took a broken record")
        } catch {
            guard case .rejected = error else {
                Issue.record("\(error) is not permanent")
                return
            }
        }
        #expect(archive.directory.archiveFiles() == [])
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "needs the right to mount a tmpfs"))
    func losesAndDoublesNothingOnAFullDisk() async throws {
        let disk = try SmallDisk(mebibytes: 2)
        defer { withExtendedLifetime(disk) {} }
        let archive = try ArchiveSample("format: otlp_proto", "max_open_files: 3", in: disk.directory)
        let ballast = URL(fileURLWithPath: "\(disk.directory.path)/ballast")
        try Data(count: 1_536 << 10).write(to: ballast)
        var written: UInt64 = 0
        func batch(_ number: UInt64) -> FrozenBatch {
            // Five hours, three files: some are complete before the batch is.
            let spans = (0..<20).map { (id: number * 20 + $0 + 1, start: start + $0 % 5 * hour) }
            return FrozenBatch(records: [
                SampleBatch.record(Array(spans[..<10]), tenant: "a", padding: 2_000),
                SampleBatch.record(Array(spans[10...]), tenant: "b", padding: 2_000),
            ])
        }
        var refusals = 0
        while written < 10 {
            do throws(ExportError) {
                try await archive.export(batch(written))
                written += 1
            } catch {
                guard case .retryable(let reason, _) = error else { throw error }
                #expect(reason.hasSuffix("no space left on device"))
                refusals += 1
                try #require(refusals < 10, "the disk stays full")
                try? FileManager.default.removeItem(at: ballast)
            }
        }
        await archive.exporter.finish()
        #expect(refusals > 0)
        #expect(archive.open == [])
        #expect(try archive.spanIDs(in: archive.published) == Array(1...200))
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "needs the right to mount a tmpfs"))
    func writesARowGroupAnewWhereTheDiskWasFullInTheMiddleOfIt() async throws {
        let disk = try SmallDisk(mebibytes: 4)
        defer { withExtendedLifetime(disk) {} }
        let archive = try ArchiveSample("format: parquet", in: disk.directory)
        let ballast = URL(fileURLWithPath: "\(disk.directory.path)/ballast")
        try Data(count: 3 << 20).write(to: ballast)
        for batch in 0..<10 as Range<UInt64> {
            try await archive.export(SampleBatch.batch(batch * 100 + 1...batch * 100 + 100, padding: 2_000))
        }
        archive.clock.advance(seconds: 60)
        await archive.exporter.tick(at: archive.clock.now)
        let failures = archive.log.lines.filter { $0.contains("no space left on device") }
        #expect(!failures.isEmpty)
        #expect(archive.published == ["ballast"] && !archive.open.isEmpty)
        try FileManager.default.removeItem(at: ballast)
        await archive.exporter.tick(at: archive.clock.now)
        #expect(archive.open == [])
        let spans = try #require(archive.published.first { $0.hasPrefix("spans/") })
        let reader = try ParquetReader("\(disk.directory.path)/\(spans)")
        let found = try reader.groups.flatMap { group in
            let values = try reader.values(of: "span_id", in: group)
            return (0..<group.rows).map { String(decoding: values.text($0) ?? [], as: UTF8.self) }
        }
        #expect(found == (1...1_000 as ClosedRange<UInt64>).map { $0.digits(16, radix: 16) })
        #expect(try ArchiveContents.problems(disk.directory.path) == [])
    }
}

extension ArchiveSample {
    /// Puts a file where the directory of open files was. Files that are open stay so.
    fileprivate func block() throws {
        try FileManager.default.moveItem(atPath: "\(directory.path)/.open", toPath: "\(directory.path)/.away")
        try Data().write(to: URL(fileURLWithPath: "\(directory.path)/.open"))
    }

    fileprivate func unblock() throws {
        try FileManager.default.removeItem(atPath: "\(directory.path)/.open")
        try FileManager.default.moveItem(atPath: "\(directory.path)/.away", toPath: "\(directory.path)/.open")
    }
}
