import Testing

@testable import Weir

/// What is left of a small journal whose files are cut off, changed or gone.
@Suite(.timeLimit(.minutes(1))) struct JournalDamageTests {
    private static let destinations: [Journal.Destination] = [.init("a"), .init("b")]

    /// Twelve records in three segments and an oversize one, in groups of one to three, of which `a` has done five.
    private func makeDisk() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        let core = try JournalCore(.small(segmentBytes: 2_048), for: Self.destinations, on: disk)
        var number = 0
        for (count, bytes) in [(2, 300), (1, 300), (3, 100), (2, 20), (1, 3_000), (1, 500), (2, 200)] {
            let entries = (0..<count).map { JournalEntry.numbered(number + $0 + 1, bytes: bytes) }
            #expect(core.append(entries) == count)
            number += count
        }
        #expect(core.state.segments.count == 5)
        let records = try core.read(0, maxSpans: 5)
        #expect(records.count == 5)
        core.commit(0, 1...5)
        try core.writeCursors()
        // With everything where a power cut leaves it, and cursors that were written twice.
        _ = try JournalCore(.small(segmentBytes: 2_048), for: Self.destinations, on: disk)
        return disk
    }

    /// Opens what is there and lets both exporters read it. Numbers equal sequences in it.
    private func check(_ disk: SimulatedDisk, lost: ClosedRange<UInt64>?, _ what: Comment) throws {
        let core = try JournalCore(.small(segmentBytes: 2_048), for: Self.destinations, on: disk)
        let through = core.recoveredThrough
        #expect(core.append([.numbered(100)]) == 1, what)
        for reader in [0, 1] {
            var wanted = Set<UInt64>(reader == 0 ? 6...12 : 1...12)
            for record in try core.drain(reader) {
                if record.number == 100 { continue }
                #expect(record.number == Int(record.sequence), what)
                wanted.remove(record.sequence)
            }
            for gap in core.gaps where gap.exporter == nil || gap.exporter == ["a", "b"][reader] {
                wanted.subtract(gap.sequences)
            }
            // Whether the very last group was torn or damaged, nobody can tell.
            if through < 12 { wanted.subtract(through + 1...12) }
            #expect(through >= 10, what)
            #expect(wanted == [], what)
            #expect(core.state.readers[reader].unsettled == Load(), what)
        }
        _ = lost
    }

    @Test func everyBitMayFlip() throws {
        let whole = try makeDisk()
        let contents = whole.contents
        for (name, bytes) in contents.sorted(by: { $0.key < $1.key }) where name != JournalLog.spareName {
            for index in bytes.indices {
                let disk = whole.afterCrash(seed: 1)
                try disk.mutate(name) { $0[index] ^= 1 << UInt8(index % 8) }
                try check(disk, lost: nil, "\(name) \(index)")
            }
        }
    }
}
