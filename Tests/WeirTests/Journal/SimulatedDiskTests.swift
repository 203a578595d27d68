import Testing

@testable import Weir

@Suite struct SimulatedDiskTests {
    private let disk = SimulatedDisk(seed: 1, capacity: 65_536)
    private let ones = Array(repeating: 1 as UInt8, count: 2_048)
    private let seeds: Range<UInt64> = 0..<200

    @Test func whatIsWrittenIsReadByAnother() throws {
        let file = try disk.create("a", size: 8_192)
        try file.write(ones, at: 4_096)
        let other = try disk.open("a", isReadOnly: true)
        #expect(other.size == 8_192)
        let zeros = Array(repeating: 0 as UInt8, count: 2_048)
        #expect(try other.bytes(at: 0, count: 16_384) == zeros + zeros + ones + zeros)
        #expect(try other.bytes(at: 8_192, count: 512) == [])
        #expect(disk.count() == 5)
        #expect(disk.count(of: .read) == 2)
    }

    @Test func namesAreThoseOfTheFiles() throws {
        let file = try disk.create("a", size: 1_024)
        _ = try disk.create("b", size: 2_048)
        #expect(try disk.freeBytes() == 65_536 - 3_072)
        #expect(throws: (any Error).self) { _ = try disk.create("a", size: 512) }
        try disk.rename("a", to: "b")
        #expect(try disk.names() == ["b"])
        #expect(try disk.open("b", isReadOnly: true).size == 1_024)
        try disk.remove("b")
        #expect(try disk.freeBytes() == 65_536)
        #expect(throws: (any Error).self) { _ = try disk.open("b", isReadOnly: true) }
        #expect(throws: (any Error).self) { try disk.rename("b", to: "a") }
        #expect(throws: (any Error).self) { try disk.remove("b") }
        // Who has it open may read it, under any name or none.
        #expect(throws: (any Error).self) { try file.write(Array(ones.prefix(512)), at: 0) }
        #expect(throws: (any Error).self) { try file.sync() }
        #expect(try file.bytes(at: 0, count: 512) == Array(ones.prefix(512)))
    }

    @Test func moreThanTheDiskHoldsIsNotCreated() throws {
        _ = try disk.create("a", size: 65_024)
        let full = DiskError(description: "create b: no space left on device", isFull: true)
        #expect(throws: full) { _ = try disk.create("b", size: 1_024) }
        #expect(try disk.names() == ["a"])
        _ = try disk.create("b", size: 512)
        #expect(try disk.freeBytes() == 0)
    }

    @Test func whatIsSyncedSurvives() throws {
        let file = try disk.create("a", size: 4_096)
        try file.write(ones, at: 2_048)
        try file.sync()
        try disk.sync()
        let expected = disk.contents
        for seed in seeds { #expect(disk.afterCrash(seed: seed).contents == expected) }
    }

    @Test func sectorsThatAreNotSyncedSurviveOrNot() throws {
        let file = try disk.create("a", size: 2_048)
        try file.write(ones, at: 0)
        try file.sync()
        try disk.sync()
        try file.write(ones.map { $0 + 1 }, at: 0)
        try file.write(ones.map { $0 + 2 }, at: 0)
        var seen: Set<[UInt8]> = []
        for seed in seeds {
            let bytes = try #require(disk.afterCrash(seed: seed).contents["a"])
            for start in stride(from: 0, to: 2_048, by: 512) {
                #expect(Set(bytes[start..<start + 512]).count == 1, "a sector is written as a whole")
            }
            seen.insert([bytes[0], bytes[512], bytes[1_024], bytes[1_536]])
        }
        #expect(seen.isSuperset(of: [[1, 1, 1, 1], [3, 3, 3, 3]]))
        #expect(seen.count > 20)
        #expect(seen.allSatisfy { $0.allSatisfy { (1...3).contains($0) } })
    }

    @Test func aFileThatWasNeverSyncedMayHaveNoLength() throws {
        _ = try disk.create("a", size: 2_048)
        try disk.sync()
        #expect(Set(seeds.map { disk.afterCrash(seed: $0).contents["a"]?.count }) == [0, 2_048])
    }

    @Test func namesThatAreNotSyncedSurviveOrNot() throws {
        for name in ["a", "b"] { try disk.create(name, size: 512).sync() }
        try disk.sync()
        try disk.create("c", size: 512).sync()
        try disk.remove("a")
        let outcomes = seeds.map { Set(disk.afterCrash(seed: $0).contents.keys) }
        #expect(Set(outcomes) == [["a", "b"], ["b"], ["a", "b", "c"], ["b", "c"]])
    }

    @Test func aRenameHappensOrNot() throws {
        for (name, size) in [("a", 512), ("b", 1_024)] { try disk.create(name, size: size).sync() }
        try disk.sync()
        try disk.rename("a", to: "b")
        try disk.rename("b", to: "c")
        let outcomes = Set(seeds.map { disk.afterCrash(seed: $0).contents.mapValues(\.count) })
        #expect(outcomes == [["a": 512, "b": 1_024], ["b": 512], ["b": 1_024, "c": 512], ["c": 512]])
    }

    @Test func anOperationFailsOnceOrFromThenOn() throws {
        disk.fail(at: 2, isFull: true)
        _ = try disk.names()
        #expect(throws: DiskError(description: "names : told to fail", isFull: true)) { _ = try disk.names() }
        _ = try disk.names()
        disk.fail(.create, at: 1, isLasting: true)
        _ = try disk.names()
        for _ in 0..<2 {
            #expect(throws: DiskError(description: "create a: told to fail", isFull: false)) {
                _ = try disk.create("a", size: 512)
            }
        }
        disk.repair()
        _ = try disk.create("a", size: 512)
        #expect(disk.count(of: .create) == 3)
    }

    @Test func aWriteThatFailsIsDoneInPart() throws {
        var seen: Set<Int> = []
        let file = try disk.create("a", size: 2_048)
        disk.fail(.write, at: 1, isLasting: true)
        for _ in 0..<50 {
            try disk.mutate("a") { bytes in bytes = bytes.map { _ in 0 } }
            #expect(throws: (any Error).self) { try file.write(ones, at: 0) }
            seen.insert(try file.bytes(at: 0, count: 2_048).count { $0 == 1 } / 512)
        }
        #expect(seen.isSuperset(of: [0, 4]) && seen.count > 2)
    }

    @Test func whatAFailedSyncLeftOutIsNotMadeUpForByTheNext() throws {
        var lost = 0
        for seed in seeds {
            let disk = SimulatedDisk(seed: seed)
            let file = try disk.create("a", size: 2_048)
            try file.sync()
            try disk.sync()
            try file.write(ones, at: 0)
            disk.fail(.sync, at: 2)
            #expect(throws: (any Error).self) { try file.sync() }
            try file.sync()
            #expect(try file.bytes(at: 0, count: 2_048) == ones)
            if disk.afterCrash(seed: seed).contents["a"] != ones { lost += 1 }
        }
        #expect((1..<200).contains(lost))
    }

    @Test func afterACrashEverythingFails() throws {
        for number in 1...7 {
            let disk = SimulatedDisk(seed: 1)
            disk.crash(at: number)
            #expect(throws: (any Error).self) {
                let file = try disk.create("a", size: 2_048)
                try file.write(ones, at: 0)
                try file.sync()
                try disk.sync()
                try disk.rename("a", to: "b")
                try disk.sync()
                _ = try file.bytes(at: 0, count: 512)
            }
            #expect(disk.count() == number)
            #expect(throws: (any Error).self) { _ = try disk.names() }
            #expect(throws: (any Error).self) { _ = try disk.create("c", size: 512) }
            let outcomes = Set(seeds.map { disk.afterCrash(seed: $0).contents.keys.joined() })
            #expect(
                outcomes
                    == [["", "a"], ["", "a"], ["", "a"], ["", "a"], ["a", "b"], ["a", "b"], ["b"]][number - 1])
        }
    }

    @Test func anOperationDuringWhichThePowerFailsMayHaveHappened() throws {
        let file = try disk.create("a", size: 2_048)
        try file.sync()
        try disk.sync()
        disk.crash(at: 4)
        #expect(throws: (any Error).self) { try file.write(ones, at: 0) }
        let outcomes = Set(seeds.map { disk.afterCrash(seed: $0).contents["a"]?.count { $0 == 1 } })
        #expect(outcomes.isSuperset(of: [0, 2_048]) && outcomes.count > 2)
    }

    @Test func bytesOnTheDiskCanBeChangedAndCutOff() throws {
        let file = try disk.create("a", size: 2_048)
        try disk.mutate("a") { $0[600] ^= 0x10 }
        #expect(try file.bytes(at: 512, count: 512)[88] == 0x10)
        try disk.mutate("a") { $0.removeLast(1_048) }
        let cut = try disk.open("a", isReadOnly: false)
        #expect(cut.size == 1_000)
        #expect(try cut.bytes(at: 512, count: 1_024).count == 488)
        #expect(throws: (any Error).self) { try disk.mutate("b") { $0 = [] } }
    }

    @Test func oneSeedGivesOneOutcome() throws {
        func run() throws -> [[String: [UInt8]]] {
            let disk = SimulatedDisk(seed: 7)
            for name in ["a", "b", "c", "d"] { try disk.create(name, size: 2_048).write(ones, at: 0) }
            return seeds.map { disk.afterCrash(seed: $0).contents }
        }
        #expect(try run() == run())
    }
}
