import Testing

@testable import Weir

/// Whether a start knows that a record was kept which is not there, though no record behind it says so.
@Suite(.hangLimit) struct JournalKeptTests {
    private static let name = SegmentSummary.name(of: 1) + ".seg"

    private let disk = SimulatedDisk(seed: 1)

    /// A journal that keeps three records, which nobody takes.
    private func makeSample(_ durability: Durability = .fsync) async throws -> JournalSample {
        var limits = JournalLimits.small()
        limits.durability = durability
        limits.syncInterval = .milliseconds(2)
        let sample = try JournalSample(limits, on: disk)
        for number in 1...3 { #expect(try await sample.journal.append(.numbered(number)) == .kept) }
        return sample
    }

    private func durableBelow(_ disk: SimulatedDisk) throws -> UInt64 {
        let journal = try #require(try JournalRecovery.identity(of: disk))
        return try CursorFile("a.cursor", journal, disk, exists: true, isReadOnly: true).durableBelow
    }

    @Test(arguments: Durability.allCases)
    func anyBitOfTheLastRecordIsMissedAfterAStop(durability: Durability) async throws {
        try await makeSample(durability).stop()
        // Without durability the system does that, sooner or later.
        try disk.open(Self.name, isReadOnly: false).sync()
        let whole = disk.afterCrash(seed: 1)
        #expect(try durableBelow(whole) == 4)
        let bytes = try #require(whole.contents[Self.name])
        let end = try #require(bytes.lastIndex { $0 != 0 })
        for index in 3 * whole.blockSize...end {
            let disk = whole.afterCrash(seed: 1)
            try disk.mutate(Self.name) { $0[index] ^= 1 << UInt8(index % 8) }
            var limits = JournalLimits.small()
            limits.durability = durability
            let core = try JournalCore(limits, on: disk)
            #expect(core.gaps.map(\.sequences) == [3...3] && core.gaps[0].reason == .damaged, "byte \(index)")
            #expect(!core.isTorn)
            #expect(try disk.names().contains { $0.hasPrefix("quarantine-\(Self.name)-") })
            #expect(core.append([.numbered(100)]) == 1)
            try core.sync()
            let records = try core.drain()
            #expect(records.map(\.number) == [1, 2, 100])
            #expect(records.last.map { $0.sequence > 3 } == true, "an exporter may know the third")
        }
    }

    @Test(arguments: Durability.allCases)
    func anIdleJournalSaysHowFarItsRecordsGo(durability: Durability) async throws {
        let sample = try await makeSample(durability)
        try await eventually("it is written down") { try durableBelow(disk) == 4 }
        let writes = disk.count(of: .write)
        _ = try await sample.journal.append(.numbered(4))
        try await eventually("again") { try durableBelow(disk) == 5 }
        #expect(disk.count(of: .write) <= writes + 3, "a group, a cursor, and perhaps a segment's header")
    }

    /// The client has no answer.
    @Test func aWriteThatDidNotEndIsNotMissed() throws {
        let core = try JournalCore(on: disk)
        #expect(core.append([.numbered(1)]) == 1)
        #expect(try core.drain().count == 1)
        try core.writeCursors()
        #expect(try durableBelow(disk) == 2)
        #expect(core.append([.numbered(2)]) == 1)
        try disk.mutate(Self.name) { $0[2 * disk.blockSize + 90] ^= 1 }
        let again = try JournalCore(on: disk)
        #expect(again.gaps == [] && again.isTorn)
    }

    /// The sequences in between were never used, and the record that begins behind them is yet to come.
    @Test func aJumpWithoutARecordIsNotMissed() throws {
        var limits = JournalLimits.small()
        limits.durability = .none
        let first = try JournalCore(limits, on: disk)
        #expect(first.append([.numbered(1)]) == 1)
        for _ in 0..<3 {
            let core = try JournalCore(limits, on: disk)
            core.release()
            #expect(core.gaps == [])
        }
        let last = try JournalCore(limits, on: disk)
        #expect(last.append([.numbered(2)]) == 1)
        #expect(try last.drain().compactMap(\.number) == [1, 2])
        #expect(last.gaps == [])
    }

    @Test func whatIsMissedKeepsItsSequenceAndIsToldOnce() throws {
        let core = try JournalCore(on: disk)
        #expect(core.append([.numbered(1)]) == 1)
        #expect(core.append([.numbered(2)]) == 1)
        #expect(try core.read(0, maxSpans: 1).count == 1)
        core.commit(0, 1...1)
        try core.writeCursors()
        try disk.mutate(Self.name) { $0[2 * disk.blockSize + 1] ^= 1 }
        #expect(try JournalCore(on: disk).gaps.map(\.sequences) == [2...2])
        let again = try JournalCore(on: disk)
        #expect(again.gaps == [])
        #expect(again.append([.numbered(3)]) == 1)
        #expect(again.nextSequence == 4)
        let third = try JournalCore(on: disk)
        #expect(third.gaps == [])
        #expect(try third.drain().map(\.sequence) == [3])
    }
}
