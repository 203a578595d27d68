import Testing

@testable import Weir

extension JournalSimulation {
    /// What is left of a small journal whose files are cut off, changed or gone.
    @Suite struct JournalDamageTests {
        private static let destinations: [Journal.Destination] = [.init("a"), .init("b")]
        private static let limits = JournalLimits.small(segmentBytes: 1_536)
        /// The number of the last record, which is its sequence as well.
        private static let last: UInt64 = 12

        /// Twelve records in several segments, one of them for a single large record, of which `a` has done the first five.
        /// - Returns: a disk that a power cut leaves as it is.
        private static func makeDisk() throws -> SimulatedDisk {
            let disk = SimulatedDisk(seed: 1)
            let core = try JournalCore(limits, for: destinations, on: disk)
            var number = 0
            for (count, bytes) in [(2, 100), (1, 200), (3, 20), (2, 20), (1, 1_600), (1, 300), (1, 9), (1, 150)] {
                #expect(core.append((1...count).map { .numbered(number + $0, bytes: bytes) }) == count)
                number += count
            }
            let sequences = try core.read(0, maxSpans: 5).map(\.sequence)
            #expect(sequences == [1, 2, 3, 4, 5])
            core.commit(0, 1...5)
            try core.writeCursors()
            #expect(core.state.segments.count == 5)
            _ = try JournalCore(limits, for: destinations, on: disk)
            return disk.afterCrash(seed: 1)
        }

        /// Opens what is left, appends to it and lets both exporters read it.
        /// - Parameter count: of records that may be lost. None is without a word.
        private func check(_ disk: SimulatedDisk, losing count: Int, _ what: Comment) throws {
            let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
            #expect(core.append((100..<104).map { .numbered($0, bytes: 150) }) == 4, what)
            for (reader, first) in [(0, 6 as UInt64), (1, 1)] {
                var wanted = Set(first...Self.last)
                var previous: UInt64 = 0
                for record in try core.drain(reader) {
                    #expect(record.number == Int(record.sequence) || record.number ?? 0 >= 100, what)
                    #expect(record.sequence > previous, what)
                    previous = record.sequence
                    if record.number ?? 0 < 100 { wanted.remove(record.sequence) }
                }
                #expect(wanted.count <= count, what)
                for gap in core.gaps where gap.exporter == nil || gap.exporter == Self.destinations[reader].name {
                    wanted.subtract(gap.sequences)
                }
                #expect(wanted == [], what)
                #expect(core.state.readers[reader].unsettled == Load(), what)
            }
        }

        @Test func everyByteMayBeDamaged() async throws {
            let whole = try Self.makeDisk()
            for (name, bytes) in whole.contents.sorted(by: { $0.key < $1.key }) {
                // Behind what was written one byte stands for all.
                let end = (bytes.lastIndex { $0 != 0 } ?? 0) + 2
                for index in stride(from: 0, to: min(end, bytes.count), by: Torture.isOn ? 1 : 3) {
                    for bit in Torture.isOn ? Array(0..<8) : [UInt8(index % 8)] {
                        await Task.yield()
                        let disk = whole.afterCrash(seed: 1)
                        try disk.mutate(name) { $0[index] ^= 1 << bit }
                        try check(disk, losing: 1, "\(name), byte \(index), bit \(bit)")
                    }
                }
            }
        }

        @Test func everyFileMayBeCutOffAnywhere() async throws {
            let whole = try Self.makeDisk()
            let newest = whole.contents.keys.filter { $0.hasSuffix(".seg") && $0 != JournalLog.spareName }.max()
            for (name, bytes) in whole.contents.sorted(by: { $0.key < $1.key }) {
                for length in stride(from: 0, to: bytes.count, by: Torture.isOn ? 1 : name == newest ? 3 : 16) {
                    await Task.yield()
                    let disk = whole.afterCrash(seed: 1)
                    try disk.mutate(name) { $0.removeLast($0.count - length) }
                    try check(disk, losing: 5, "\(name), cut off at \(length)")
                }
            }
        }

        @Test func everyBlockMayBeUnreadable() throws {
            let whole = try Self.makeDisk()
            for (name, bytes) in whole.contents.sorted(by: { $0.key < $1.key }) {
                for block in 0..<bytes.count / whole.blockSize {
                    let disk = whole.afterCrash(seed: 1)
                    try disk.spoil(name, block: block)
                    try check(disk, losing: 3, "\(name), block \(block)")
                }
            }
        }

        /// It may come back: nothing is passed for its sake.
        @Test func aDiskThatGivesNothingIsNotDamaged() throws {
            let disk = try Self.makeDisk()
            let core = try JournalCore(Self.limits, for: Self.destinations, on: disk)
            let name = SegmentSummary.name(of: 1) + ".seg"
            let bytes = try #require(disk.contents[name])
            for block in 0..<bytes.count / disk.blockSize { try disk.spoil(name, block: block) }
            #expect(throws: DiskError.self) { try core.read(1) }
            #expect(throws: DiskError.self) { try core.read(1) }
            try disk.open(name, isReadOnly: false).write(bytes, at: 0)
            #expect(try core.drain(1).compactMap(\.number) == Array(1...12))
            #expect(core.gaps == [])
        }
    }
}
