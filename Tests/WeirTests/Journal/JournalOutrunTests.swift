import Testing

@testable import Weir

/// Who only looks while a Weir delivers, and takes segments away.
@Suite struct JournalOutrunTests {
    private static let destinations: [Journal.Destination] = [.init("a"), .init("b")]
    private static let limits = JournalLimits.small(segmentBytes: 1_536)

    @Test(arguments: [UInt64(1), 5, 11], [1, 2])
    func whatIsTakenAwayMeanwhileIsNotMissed(segment: UInt64, count: Int) throws {
        for (isBefore, verifies) in [(true, true), (true, false), (false, true), (false, false)] {
            let disk = SimulatedDisk(seed: 1)
            let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
            for number in 1...12 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
            let moment = OutrunDisk.Moment(
                name: SegmentSummary.name(of: segment) + ".seg", count: count, isBefore: isBefore)
            let outrun = OutrunDisk(disk, at: moment) {
                for number in 13...24 {
                    for reader in 0...1 { _ = try core.drain(reader) }
                    core.release()
                    #expect(core.append([.numbered(number, bytes: 250)]) == 1)
                }
            }
            let found = try JournalRecovery(outrun, isReadOnly: true, verifies: verifies)
            #expect(found.gaps == [] && found.damages.isEmpty && found.unreadable.isEmpty)
            // Of one that is full and has an index nothing else is read.
            #expect(outrun.isOver || count == 2 && !verifies)
            guard outrun.isOver else { continue }
            #expect(try !disk.names().contains(moment.name))
            #expect(found.segments.allSatisfy { $0.firstSequence > segment } || count == 2 && !verifies)
        }
    }

    /// One exporter is in a segment that was not there when the names were read; the other keeps the rest.
    @Test func whatStandsInASegmentThatIsBegunMeanwhileIsNotMissed() throws {
        let disk = SimulatedDisk(seed: 1)
        let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
        for number in 1...12 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
        let name = SegmentSummary.name(of: 11) + ".seg"
        let outrun = OutrunDisk(disk, at: OutrunDisk.Moment(name: name, count: 1, isBefore: true)) {
            for number in 13...24 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
            _ = try core.drain(0)
            try core.writeCursors()
        }
        let found = try JournalRecovery(outrun, isReadOnly: true, verifies: true)
        #expect(outrun.isOver && found.gaps == [] && found.damages.isEmpty)
        #expect(found.cursors["a"]?.next == 25 && found.segments.count == 6)
    }

    @Test func whatIsMissingIsMissedAllTheSame() throws {
        let disk = SimulatedDisk(seed: 1)
        let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
        for number in 1...12 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
        try core.writeCursors()
        try disk.remove(SegmentSummary.name(of: 5) + ".seg")
        try disk.mutate(SegmentSummary.name(of: 11) + ".seg") { $0[700] ^= 1 }
        let found = try JournalRecovery(disk, isReadOnly: true, verifies: true)
        #expect(found.gaps.first == JournalGap(reason: .missing, sequences: 5...6, spans: nil))
        #expect(found.damages.map(\.name) == [SegmentSummary.name(of: 11) + ".seg"])
    }

    /// A segment that went is one that all exporters have passed.
    @Test func aSegmentThatWentIsNotOpened() throws {
        let disk = SimulatedDisk(seed: 1)
        let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
        for number in 1...12 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
        let found = try JournalRecovery(disk, isReadOnly: true)
        let segment = try #require(found.segments.first)
        #expect(try found.open(segment) != nil)
        for reader in 0...1 { _ = try core.drain(reader) }
        core.release()
        #expect(try found.open(segment) == nil)
    }
}
