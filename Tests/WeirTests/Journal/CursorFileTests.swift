import Testing

@testable import Weir

@Suite struct CursorFileTests {
    private static let journal = JournalID(value: 7)
    private let disk = SimulatedDisk(seed: 1)

    private func open(_ disk: SimulatedDisk, exists: Bool = true, isReadOnly: Bool = false) throws -> CursorFile {
        try CursorFile("a.cursor", Self.journal, disk, exists: exists, isReadOnly: isReadOnly)
    }

    /// Two writes: the second one in the first block, the first one in the second.
    private func makeFile(blocks: Int = 512) throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1, blockSize: blocks)
        var file = try open(disk, exists: false)
        #expect(file.cursor == nil)
        try file.write(Cursor(next: 10), durableBelow: 15)
        try file.write(Cursor(next: 20, done: [22...23, 30...40]), durableBelow: 41)
        try file.sync()
        try disk.sync()
        return disk
    }

    @Test func theLatestIsReadAgain() throws {
        let disk = try makeFile()
        let cursor = Cursor(next: 20, done: [22...23, 30...40])
        #expect(try open(disk).cursor == cursor)
        #expect(try open(disk, isReadOnly: true).cursor == cursor)
        var file = try open(disk)
        for next in 21..<30 as Range<UInt64> {
            try file.write(Cursor(next: next), durableBelow: 0)
            #expect(try open(disk).cursor == Cursor(next: next))
        }
    }

    @Test func whereOneBlockIsDamagedTheOtherOneCounts() throws {
        for index in 0..<1_024 {
            let disk = try makeFile()
            try disk.mutate("a.cursor") { $0[index] ^= 1 << UInt8(index % 8) }
            let expected = index < 512 ? Cursor(next: 10) : Cursor(next: 20, done: [22...23, 30...40])
            #expect(try open(disk).cursor == expected, "byte \(index)")
            #expect(try open(disk).durableBelow == (index < 512 ? 15 : 41), "byte \(index)")
        }
        try disk.create("a.cursor", size: 1_024).write([UInt8](repeating: 0xA5, count: 1_024), at: 0)
        #expect(try open(disk).cursor == nil)
    }

    /// Before the field was there, it was zero.
    @Test func aFileOfAnEarlierVersionSaysNothingOfTheRecords() throws {
        let disk = SimulatedDisk(seed: 1)
        var file = try open(disk, exists: false)
        try file.write(Cursor(next: 10), durableBelow: 0)
        #expect(try open(disk).cursor == Cursor(next: 10))
        #expect(try open(disk).durableBelow == 0)
        try file.keep(Cursor(next: 10), durableBelow: 12)
        #expect(try open(disk).durableBelow == 12)
        let writes = disk.count(of: .write)
        try file.keep(Cursor(next: 10), durableBelow: 12)
        #expect(disk.count(of: .write) == writes, "it is there already")
    }

    @Test func aBlockThatCannotBeReadIsADamagedOne() throws {
        for block in 0..<2 {
            let disk = try makeFile()
            try disk.spoil("a.cursor", block: block)
            #expect(try open(disk).cursor?.next == (block == 0 ? 10 : 20))
        }
    }

    @Test func afterADamageTheNextIsTheLatest() throws {
        let disk = try makeFile()
        try disk.mutate("a.cursor") { $0[0] ^= 1 }
        var file = try open(disk)
        try file.write(Cursor(next: 50), durableBelow: 0)
        #expect(try open(disk).cursor == Cursor(next: 50))
    }

    @Test func anotherJournalsCursorIsNone() throws {
        let disk = try makeFile()
        let file = try CursorFile("a.cursor", JournalID(value: 8), disk, exists: true)
        #expect(file.cursor == nil)
    }

    @Test func whatDoesNotFitIsDoneAgain() throws {
        let done = (0..<100 as Range<UInt64>).map { 10 * $0 + 5...10 * $0 + 7 }
        for (block, room) in [(512, 29), (4_096, 100)] {
            let disk = SimulatedDisk(seed: 1, blockSize: block)
            var file = try open(disk, exists: false)
            try file.write(Cursor(next: 1, done: done), durableBelow: 0)
            #expect(try open(disk).cursor == Cursor(next: 1, done: Array(done.prefix(room))))
            #expect(file.cursor == Cursor(next: 1, done: done), "it is not written again and again")
        }
    }

    @Test func aPowerCutLeavesOneOfTheLastTwo() throws {
        for seed in 0..<200 as Range<UInt64> {
            let disk = try makeFile()
            var file = try open(disk)
            try file.write(Cursor(next: 60), durableBelow: 0)
            let left = try open(disk.afterCrash(seed: seed)).cursor?.next
            #expect(left == 20 || left == 60, "seed \(seed)")
        }
    }

    @Test func aWriteThatFailsLeavesTheOldOne() throws {
        let disk = try makeFile(blocks: 4_096)
        var file = try open(disk)
        let many = (0..<200 as Range<UInt64>).map { 10 * $0 + 95...10 * $0 + 97 }
        for _ in 0..<20 {
            disk.fail(.write, at: disk.count(of: .write) + 1)
            #expect(throws: DiskError.self) { try file.write(Cursor(next: 60, done: many), durableBelow: 0) }
            let found = try #require(try open(disk).cursor)
            #expect(found == file.cursor || found == Cursor(next: 60, done: many))
        }
        try file.write(Cursor(next: 70), durableBelow: 0)
        #expect(try open(disk).cursor == Cursor(next: 70))
    }

    @Test func oneThatSomebodyHasRemovedIsMadeAnew() throws {
        let disk = try makeFile()
        var file = try open(disk)
        for durableBelow in [100, 100, 200] as [UInt64] {
            try disk.remove("a.cursor")
            // The second time it is what was written before.
            try file.keep(Cursor(next: 60), durableBelow: durableBelow)
            let left = try open(disk.afterCrash(seed: durableBelow))
            #expect(left.cursor == Cursor(next: 60) && left.durableBelow == durableBelow)
        }
        try disk.remove("a.cursor")
        try file.write(Cursor(next: 70), durableBelow: 200)
        #expect(try open(disk).cursor == Cursor(next: 70))
    }

    @Test func aFileWithoutItsRoomIsMadeAnew() throws {
        for length in [0, 60, 512, 1_023] {
            let disk = try makeFile()
            try disk.mutate("a.cursor") { $0.removeLast($0.count - length) }
            #expect(try open(disk, isReadOnly: true).cursor?.next == (length < 80 ? nil : 20))
            #expect(disk.contents["a.cursor"]?.count == length)
            var file = try open(disk)
            try file.write(Cursor(next: 90), durableBelow: 0)
            #expect(try open(disk).cursor == Cursor(next: 90))
            #expect(disk.contents["a.cursor"]?.count == 1_024)
        }
    }
}
