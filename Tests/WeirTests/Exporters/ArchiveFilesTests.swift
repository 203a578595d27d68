import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveFilesTests {
    private let directory: TemporaryDirectory
    private let log = LogCapture()
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let a = ArchivePartition(tenant: "a", hour: 0)
    private let b = ArchivePartition(tenant: "b", hour: 0)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func publishesNothingOfAStepThatIsNotOver() throws {
        var files = try files(open: 1)
        try append("one", to: a, of: &files)
        try append("two", to: b, of: &files)
        #expect(directory.files().allSatisfy { $0.hasPrefix(".open/") })
        files.commit(at: now)
        #expect(try published() == ["tenant=a": "one"])
    }

    @Test func takesAStepBackInFilesThatWereClosedMeanwhile() throws {
        var files = try files(open: 1)
        try append("one", to: a, of: &files)
        files.commit(at: now)
        try append(" two", to: a, of: &files)
        try append("three", to: b, of: &files)
        files.rollBack(at: now)
        #expect(try published() == ["tenant=a": "one"])
        files.finish(at: now)
        #expect(try published() == ["tenant=a": "one"])
        #expect(directory.files().count == 1)
    }

    @Test func leavesNothingOfAFileThatOnlyTheStepWroteTo() throws {
        var files = try files(open: 1)
        try append("one", to: a, of: &files)
        try append("two", to: b, of: &files)
        files.rollBack(at: now)
        try append("three", to: b, of: &files)
        files.commit(at: now)
        files.finish(at: now)
        #expect(try published() == ["tenant=b": "three"])
        #expect(directory.files().count == 1)
    }

    @Test func givesUpAFileThatItCannotCutBackAndSaysSo() throws {
        var files = try files(open: 1)
        try append("one", to: a, of: &files)
        try append("two", to: b, of: &files)
        let lost = try #require(directory.files().first { $0.contains("000001") })
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(lost)")
        files.rollBack(at: now)
        files.finish(at: now)
        #expect(try published() == [:])
        let path = "\(directory.path)/\(lost)"
        #expect(
            log.lines == ["error: gave up a file bytes=3 error=open \(path): no such file or directory path=\(path)"])
    }

    @Test func goesOnInANewFileWhereTheOldOneVanished() throws {
        var files = try files(open: 1)
        try append("one", to: a, of: &files)
        files.commit(at: now)
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(directory.files()[0])")
        try append("two", to: b, of: &files)
        files.commit(at: now)
        files.finish(at: now)
        #expect(try published() == ["tenant=b": "two"])
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("error: gave up a file bytes=3 error=link ") == true)
    }

    private func files(open count: Int) throws -> ArchiveFiles {
        ArchiveFiles(
            in: try ArchiveDirectory(directory.path),
            rotation: ArchiveRotation(ArchiveRotation.Limits(age: .seconds(60), size: 1_000, files: count)),
            names: ArchiveNames(run: 1, suffix: ".otlp"), logger: log.logger, publishedFiles: Counter(),
            abandonedFiles: Counter())
    }

    private func append(_ text: String, to partition: ArchivePartition, of files: inout ArchiveFiles) throws {
        try Array(text.utf8).withUnsafeBytes { try files.append($0, to: partition, at: now) }
    }

    /// What readers see, by the first directory; of several files there the last.
    private func published() throws -> [String: String] {
        var found: [String: String] = [:]
        for file in directory.files() where !file.hasPrefix(".open/") {
            found[String(file.prefix(8))] = String(decoding: try directory.contents(of: file), as: UTF8.self)
        }
        return found
    }
}
