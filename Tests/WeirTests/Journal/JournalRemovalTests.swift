import Testing

@testable import Weir

/// Files that somebody takes away while the journal is open.
@Suite struct JournalRemovalTests {
    private let disk = SimulatedDisk(seed: 1)

    private func open(_ limits: JournalLimits) throws -> JournalCore { try JournalCore(limits, on: disk) }

    private func limits(_ durability: Durability) -> JournalLimits {
        var limits = JournalLimits.small()
        limits.durability = durability
        return limits
    }

    private static func name(_ sequence: UInt64) -> String { SegmentSummary.name(of: sequence) + ".seg" }

    @Test(arguments: Durability.allCases)
    func whatIsAnsweredAfterASegmentWentIsThere(durability: Durability) throws {
        let core = try open(limits(durability))
        #expect(core.append([.numbered(1)]) == 1)
        try core.sync()
        try disk.remove(Self.name(1))
        #expect(core.append([.numbered(2)]) == 1)
        try core.sync()
        // Another process finds it, and what is missing.
        let next = try open(limits(durability))
        #expect(try next.drain().compactMap(\.number) == [2])
        #expect(next.gaps.contains { $0.reason == .missing && $0.sequences == 1...1 })
    }

    @Test func whatWaitedForItsSyncIsWrittenAgain() throws {
        let core = try open(limits(.interval))
        #expect(core.append([.numbered(1)]) == 1)
        try disk.remove(Self.name(1))
        #expect(core.append([.numbered(2)]) == 0)
        try core.sync()
        #expect(core.append([.numbered(3)]) == 1)
        try core.sync()
        let next = try open(limits(.interval))
        #expect(try next.drain().compactMap(\.number) == [1, 3])
        #expect(next.gaps == [])
    }

    @Test func aSpareThatWentIsMadeAnew() throws {
        let core = try open(.small())
        for number in 1...8 {
            if number % 2 == 0 { try disk.remove(JournalLog.spareName) }
            #expect(core.append([.numbered(number, bytes: 3_000)]) == 1)
            try core.prepare()
        }
        let size = disk.contents.filter { $0.key.hasSuffix(".seg") }.reduce(0) { $0 + $1.value.count }
        #expect(core.fileBytes == size)
        #expect(try open(.small()).drain().compactMap(\.number) == Array(1...8))
    }
}
