import Testing

@testable import Weir

@Suite struct StageHandoverTests {
    private let exporter = [Journal.Destination("exporter")]

    private func core(_ names: String..., on disk: SimulatedDisk) throws -> JournalCore {
        try JournalCore(.small(), for: names.map { Journal.Destination($0) }, on: disk)
    }

    @Test func aPipelineGetsAStageOnceItsExportersHaveEverything() throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        // A new journal.
        try StageHandover.enter(directory.path, disk, for: exporter)
        let before = try core("exporter", on: disk)
        #expect(before.append([.numbered(1), .numbered(2)]) == 2)
        #expect(throws: StageHandover.Waiting.self) {
            try StageHandover.enter(directory.path, disk, for: exporter)
        }
        _ = try before.drain()
        try before.writeCursors()
        try StageHandover.enter(directory.path, disk, for: exporter)
        #expect(try !disk.names().contains("exporter.cursor"))
    }

    @Test func aPipelineThatLosesItsStageDeliversWhatWasNotDecidedOnce() throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let first = try core(StageCourse.name, on: disk)
        #expect(first.append([.numbered(1), .numbered(2), .numbered(3)]) == 3)
        let journal = try JournalRecovery(disk, isReadOnly: true).journal
        // A copy of a span of the third record, which is still in its first place.
        var copy = JournalEntry.numbered(3)
        copy.section.add(RecordOrigin(journal, 3...3))
        #expect(first.append([copy]) == 1)
        _ = try first.read(maxSpans: 1)
        first.commit(0, 1...1)
        try first.writeCursors()
        try StageHandover.leave(directory.path, disk, for: exporter)
        let after = try core("exporter", on: disk)
        #expect(try after.drain().compactMap(\.number) == [2, 3])
        // Without one, nothing is done.
        try StageHandover.leave(directory.path, disk, for: exporter)
    }
}
