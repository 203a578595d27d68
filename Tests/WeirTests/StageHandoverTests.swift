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

    /// What one had not got that goes when the stage comes is not forgotten without a word.
    @Test func anExporterThatIsGoneIsWaitedForToo() throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let before = try core("exporter", "gone", on: disk)
        #expect(before.append([.numbered(1), .numbered(2)]) == 2)
        _ = try before.drain()
        try before.writeCursors()
        let path = directory.path
        let wanted = StageHandover.Waiting(
            description: "found spans in \(path) that were taken before tail_sampling was configured (gone 2), wanted "
                + "none: run without it until they are delivered; gone is not configured any more: configure it until "
                + "then, or give that up by removing \(path)/gone.cursor")
        #expect(throws: wanted) { try StageHandover.enter(path, disk, for: exporter) }
        #expect(try disk.names().contains("gone.cursor"))
        try disk.remove("gone.cursor")
        try StageHandover.enter(path, disk, for: exporter)
    }

    @Test func soIsOneThatGoesWithTheStage() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        try core(StageCourse.name, on: disk).writeCursors()
        let (journal, writer) = try Journal.open(
            on: try JournalDirectory("\(directory.path)/\(StageCourse.directory)"), JournalLimits(maxBytes: 16 << 20),
            for: [Journal.Destination("gone"), StageCourse.destination], executor: { BlockingExecutor(label: $0) },
            clock: { Timestamp.now() }, events: { _ in })
        let writing = Task { await writer.run() }
        _ = try await journal.append(.numbered(1))
        journal.close()
        writing.cancel()
        await writing.value
        await writer.finish()
        await #expect(throws: StageHandover.Waiting.self) {
            try await StageHandover.leave(directory.path, disk, for: exporter, nil)
        }
    }

    /// It is not new when it comes back: what was not decided was promised to it too.
    @Test func oneThatGoesWithTheStageAndHasEverythingGoesOnWhereTheOthersDo() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let first = try core(StageCourse.name, on: disk)
        #expect(first.append([.numbered(1), .numbered(2)]) == 2)
        _ = try first.read(maxSpans: 1)
        first.commit(0, 1...1)
        try first.writeCursors()
        let (journal, writer) = try Journal.open(
            on: try JournalDirectory("\(directory.path)/\(StageCourse.directory)"), JournalLimits(maxBytes: 16 << 20),
            for: exporter + [Journal.Destination("gone"), StageCourse.destination],
            executor: { BlockingExecutor(label: $0) }, clock: { Timestamp.now() }, events: { _ in })
        let writing = Task { await writer.run() }
        journal.close()
        writing.cancel()
        await writing.value
        await writer.finish()
        try await StageHandover.leave(directory.path, disk, for: exporter, nil)
        #expect(try !disk.names().contains(StageCourse.name + CursorFile.suffix))
        let without = try core("exporter", on: disk)
        #expect(without.append([.numbered(3)]) == 1)
        #expect(try without.drain().compactMap(\.number) == [2, 3])
        try without.writeCursors()
        #expect(try core("gone", on: disk).drain().compactMap(\.number) == [2, 3])
    }

    /// What a cursor cannot hold would come again.
    @Test(arguments: [0, 1]) func moreThanACursorHoldsIsDoneOutOfTurn(tooMany: Int) async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let first = try core(StageCourse.name, on: disk)
        #expect(first.append([.numbered(1)]) == 1)
        let journal = try JournalRecovery(disk, isReadOnly: true).journal
        let room = CursorFile.room(disk)
        for number in 2...(room + tooMany + 1) {
            var copy = JournalEntry.numbered(1)
            copy.section.add(RecordOrigin(journal, 1...1))
            #expect(first.append([copy, .numbered(number)]) == 2)
        }
        try first.writeCursors()
        guard tooMany == 0 else {
            let wanted = StageHandover.Waiting(
                description: "found \(room + 1) places in \(directory.path) that tail_sampling is done with before "
                    + "others, wanted \(room) at most: run with it until it has decided")
            await #expect(throws: wanted) {
                try await StageHandover.leave(directory.path, disk, for: exporter, nil)
            }
            return
        }
        try await StageHandover.leave(directory.path, disk, for: exporter, nil)
        #expect(try core("exporter", on: disk).drain().compactMap(\.number) == Array(1...room + 1))
    }

    @Test func aPipelineThatLosesItsStageDeliversWhatWasNotDecidedOnce() async throws {
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
        try await StageHandover.leave(directory.path, disk, for: exporter, nil)
        let after = try core("exporter", on: disk)
        #expect(try after.drain().compactMap(\.number) == [2, 3])
        // Without one, nothing is done.
        try await StageHandover.leave(directory.path, disk, for: exporter, nil)
    }

    /// Gives back what stands in the sections of sealed records, as long as it has a key.
    private struct Sections: RecordCodec {
        let sections: [UInt64: RecordSection]
        var isSealing: Bool { true }

        func seal(_ record: JournalRecord) -> JournalRecord { record }

        func open(_ record: JournalRecord, while isWanted: @Sendable (AwaitedKey) -> Bool) -> OpenedRecord {
            guard let section = sections[record.sequence] else { return .interrupted }
            var opened = record
            (opened.section, opened.codec) = (section, 0)
            return .record(opened)
        }

        func keyID(of record: JournalRecord) -> UInt32 { UInt32(record.sequence) }
    }

    @Test func whatIsEncryptedIsDeliveredOnceTooAndNotWithoutItsKey() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let first = try core(StageCourse.name, on: disk)
        // The last one is a copy of the first.
        for number in [1, 2, 1] {
            var entry = JournalEntry.numbered(number)
            entry.codec = 1
            #expect(first.append([entry]) == 1)
        }
        try first.writeCursors()
        var sections: [UInt64: RecordSection] = [1: RecordSection(), 2: RecordSection()]
        for codec in [nil, Sections(sections: sections)] {
            await #expect(throws: StageHandover.Waiting.self) {
                try await StageHandover.leave(directory.path, disk, for: exporter, codec)
            }
        }
        var copy = RecordSection()
        copy.add(RecordOrigin(try JournalRecovery(disk, isReadOnly: true).journal, 1...1))
        sections[3] = copy
        try await StageHandover.leave(directory.path, disk, for: exporter, Sections(sections: sections))
        #expect(try core("exporter", on: disk).drain().compactMap(\.number) == [1, 2])
    }
}
