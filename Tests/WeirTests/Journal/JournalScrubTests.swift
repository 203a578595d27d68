import Testing

@testable import Weir

/// What is there leaves no byte behind once everybody has it.
@Suite struct JournalScrubTests {
    private let disk = SimulatedDisk(seed: 1)

    @Test func filesFromBeforeAreRemovedOnceEverybodyHasTheirRecords() throws {
        let core = try JournalCore(on: disk)
        #expect(core.append((1...20).map { .numbered($0, bytes: 500) }) == 20)
        let before = Set(segments())
        #expect(before.count > 2)
        try core.scrub()
        // What is written from now on stands in a file of its own.
        #expect(core.append([.numbered(21)]) == 1)
        core.release()
        #expect(before.isSubset(of: segments()))
        #expect(try core.drain().compactMap(\.number) == Array(1...21))
        core.release()
        #expect(before.isDisjoint(with: segments()) && segments().count == 1)
        // None of them became the next segment.
        try core.prepare()
        let spare = try disk.open(JournalLog.spareName, isReadOnly: true)
        let buffer = AlignedBuffer(capacity: disk.blockSize)
        _ = try spare.read(into: buffer.memory, at: 0)
        #expect(buffer.memory.allSatisfy { $0 == 0 })
    }

    @Test func aScrubbedJournalGoesOnAfterARestart() throws {
        let core = try JournalCore(on: disk)
        #expect(core.append([.numbered(1), .numbered(2)]) == 2)
        #expect(try core.drain().count == 2)
        try core.scrub()
        core.release()
        #expect(segments().count == 1)
        try core.writeCursors()
        let again = try JournalCore(on: disk)
        #expect(again.nextSequence == 3 && again.gaps == [])
        #expect(again.append([.numbered(3)]) == 1)
        #expect(try again.drain().compactMap(\.number) == [3])
    }

    @Test func scrubbingTwiceIsScrubbingOnce() throws {
        let core = try JournalCore(on: disk)
        try core.scrub()
        try core.scrub()
        #expect(core.append([.numbered(1)]) == 1)
        try core.scrub()
        #expect(try core.drain().compactMap(\.number) == [1])
        core.release()
        #expect(segments().count == 1)
    }

    private func segments() -> [String] {
        ((try? disk.names()) ?? []).filter { $0.hasSuffix(".seg") && $0 != JournalLog.spareName }
    }
}
