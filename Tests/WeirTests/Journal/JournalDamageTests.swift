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
        /// - Parameters:
        ///   - count: of records that may be lost.
        ///   - mayLack: those that may be lost without a word.
        private func check(
            _ disk: SimulatedDisk, losing count: Int, mayLack: ClosedRange<UInt64>? = nil, _ what: Comment
        ) throws {
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
                if let mayLack { wanted.subtract(mayLack) }
                #expect(wanted == [], what)
                #expect(core.state.readers[reader].unsettled == Load(), what)
            }
        }

        @Test func everyByteMayBeDamaged() async throws {
            let whole = try Self.makeDisk()
            for (name, bytes) in whole.contents.sorted(by: { $0.key < $1.key }) {
                // Behind what was written one byte stands for all.
                let end = (bytes.lastIndex { $0 != 0 } ?? 0) + 2
                for index in bytes.indices.prefix(end) {
                    await Task.yield()
                    let disk = whole.afterCrash(seed: 1)
                    try disk.mutate(name) { $0[index] ^= 1 << UInt8(index % 8) }
                    // Whether the last group was damaged or never ended, nobody can tell.
                    try check(disk, losing: 1, mayLack: Self.last...Self.last, "\(name), byte \(index)")
                }
            }
        }

        @Test func everyFileMayBeCutOffAnywhere() async throws {
            let whole = try Self.makeDisk()
            let newest = whole.contents.keys.filter { $0.hasSuffix(".seg") && $0 != JournalLog.spareName }.max()
            for (name, bytes) in whole.contents.sorted(by: { $0.key < $1.key }) {
                for length in stride(from: 0, to: bytes.count, by: name == newest ? 1 : 16) {
                    await Task.yield()
                    let disk = whole.afterCrash(seed: 1)
                    try disk.mutate(name) { $0.removeLast($0.count - length) }
                    // The newest segment does not say what it held.
                    try check(disk, losing: 5, mayLack: 10...Self.last, "\(name), cut off at \(length)")
                }
            }
        }
    }
}
