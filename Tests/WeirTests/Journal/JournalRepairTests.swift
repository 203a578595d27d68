import Testing

@testable import Weir

/// Files that are missing, foreign or in the way.
@Suite struct JournalRepairTests {
    private static let destinations: [Journal.Destination] = [.init("a"), .init("b")]
    private static let limits = JournalLimits.small(segmentBytes: 1_536)

    private let disk: SimulatedDisk

    /// Twelve records, three in a segment; `a` has done the first four.
    init() throws {
        disk = try Self.makeDisk()
    }

    private static func makeDisk() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        let core = try JournalCore(limits, for: destinations, on: disk)
        for number in 1...12 { #expect(core.append([.numbered(number, bytes: 250)]) == 1) }
        #expect(try core.read(0, maxSpans: 4).map(\.sequence) == [1, 2, 3, 4])
        core.commit(0, 1...4)
        try core.writeCursors()
        #expect(try segments(of: disk) == [1, 3, 5, 7, 9, 11].map(name))
        return disk
    }

    private static func name(_ sequence: UInt64) -> String { SegmentSummary.name(of: sequence) + ".seg" }
    private static func aside(_ sequence: UInt64) -> String { Quarantine.prefix + name(sequence) }

    private static func segments(of disk: SimulatedDisk) throws -> [String] {
        disk.contents.keys.filter { $0.hasSuffix(".seg") && $0 != JournalLog.spareName }.sorted()
    }

    private func open(_ destinations: [Journal.Destination] = destinations) throws -> JournalCore {
        try JournalCore(Self.limits, for: destinations, on: disk)
    }

    private func numbers(_ core: JournalCore, _ reader: Int) throws -> [Int] {
        try core.drain(reader).compactMap(\.number)
    }

    private func gap(_ sequences: ClosedRange<UInt64>, exporter: String? = nil) -> JournalGap {
        JournalGap(reason: .missing, sequences: sequences, spans: nil, exporter: exporter)
    }

    @Test func aMissingSegmentIsSaidToBeMissing() throws {
        try disk.remove(Self.name(7))
        let core = try open()
        #expect(core.gaps == [gap(7...8)])
        #expect(try numbers(core, 0) == [5, 6, 9, 10, 11, 12])
        #expect(try numbers(core, 1) == [1, 2, 3, 4, 5, 6, 9, 10, 11, 12])
        #expect(core.gaps == [gap(7...8), gap(7...8, exporter: "a"), gap(7...8, exporter: "b")])
    }

    @Test func whatIsMissingAtTheFrontIsMissedByThoseWhoHadNotGotIt() throws {
        try disk.remove(Self.name(1))
        let core = try open()
        #expect(core.gaps == [gap(1...2, exporter: "b")])
        #expect(try numbers(core, 0) == Array(5...12))
        #expect(try numbers(core, 1) == Array(3...12))
    }

    @Test func theNewestSegmentMayBeMissing() throws {
        let core = try open()
        #expect(try numbers(core, 0) == Array(5...12))
        try core.writeCursors()
        try disk.remove(Self.name(11))
        let reopened = try open()
        #expect(reopened.gaps == [gap(11...12)])
        #expect(reopened.append([.numbered(100)]) == 1)
        #expect(try numbers(reopened, 0) == [100])
        #expect(try reopened.drain(1).map(\.sequence) == Array(1...10) + [13], "11 and 12 were seen by a")
        let third = try open()
        #expect(third.gaps == [], "it is said once")
        #expect(third.append([.numbered(101)]) == 1)
        #expect(third.nextSequence == 15)
    }

    @Test func theNewestSegmentIsMissedByThoseTooWhoDidNotKnowIt() throws {
        try disk.remove(Self.name(11))
        let core = try open()
        #expect(core.gaps == [gap(11...12)])
        #expect(core.append([.numbered(100)]) == 1)
        #expect(try core.drain(1).map(\.sequence) == Array(1...10) + [13])
    }

    @Test func allSegmentsMayBeMissing() throws {
        let before = try open()
        _ = try before.read(1, maxSpans: 2)
        before.commit(1, 1...2)
        try before.writeCursors()
        for name in try Self.segments(of: disk) { try disk.remove(name) }
        let core = try open()
        #expect(core.gaps == [gap(3...12)])
        #expect(core.append([.numbered(100)]) == 1)
        for reader in [0, 1] { #expect(try core.drain(reader).map(\.sequence) == [13]) }
    }

    @Test func anIndexThatIsLostIsMadeAnew() throws {
        let name = SegmentSummary.name(of: 3) + IndexFile.suffix
        let before = disk.contents[name]
        #expect(before != nil)
        try disk.remove(name)
        let core = try open()
        #expect(core.gaps == [])
        #expect(disk.contents[name] == before)
        #expect(core.state.readers.map(\.unsettled.records) == [8, 12])
    }

    @Test func aSegmentWithoutAHeaderIsPutAside() throws {
        try disk.remove(SegmentSummary.name(of: 5) + IndexFile.suffix)
        for offset in [20, 276] { try disk.mutate(Self.name(5)) { $0[offset] ^= 1 } }
        let before = disk.contents[Self.name(5)]
        let core = try open()
        #expect(core.gaps == [gap(5...6)])
        #expect(try numbers(core, 0) == Array(7...12))
        #expect(try numbers(core, 1) == [1, 2, 3, 4] + Array(7...12))
        #expect(disk.contents[Self.aside(5)] == before)
        #expect(try !Self.segments(of: disk).contains(Self.name(5)))
        core.release()
        let again = try open()
        #expect(again.append([.numbered(13, bytes: 250)]) == 1)
        #expect(disk.contents[Self.aside(5)] == before, "who wants to look at it may come later")
    }

    @Test func theIndexHasTheHeaderTooOfASegmentThatIsFull() throws {
        for offset in [20, 276] { try disk.mutate(Self.name(5)) { $0[offset] ^= 1 } }
        let core = try open()
        #expect(core.gaps == [])
        #expect(try numbers(core, 0) == Array(5...12))
        #expect(try numbers(core, 1) == Array(1...12))
    }

    /// Nobody has told which is right, the name or the header; so neither file is used, and neither is removed.
    @Test func segmentsThatHaveEachOthersNamesArePutAside() throws {
        let (five, seven) = (disk.contents[Self.name(5)], disk.contents[Self.name(7)])
        try disk.mutate(Self.name(5)) { $0 = seven ?? [] }
        try disk.mutate(Self.name(7)) { $0 = five ?? [] }
        let core = try open()
        #expect(core.gaps == [gap(5...8)])
        #expect(try numbers(core, 0) == Array(9...12))
        #expect(disk.contents[Self.aside(5)] == seven && disk.contents[Self.aside(7)] == five)
    }

    @Test(arguments: ["18446744073709551615", "18446744073709551614", "99999999999999999999", "5", "x", "-1"])
    func aFileThatIsNoSegmentIsPutAside(name: String) throws {
        _ = try disk.create(name + ".seg", size: 1_536)
        try disk.mutate(name + ".seg") { for index in $0.indices { $0[index] = UInt8(truncatingIfNeeded: index) } }
        let unreadable = try JournalRecovery(disk, isReadOnly: true, verifies: true).unreadable
        #expect(unreadable.map(\.name) == [name + ".seg"])
        let core = try open()
        #expect(core.gaps == [])
        #expect(try numbers(core, 1) == Array(1...12))
        #expect(try disk.names().contains("quarantine-\(name).seg"))
        #expect(try open().gaps == [])
    }

    /// A start does not read what is full, so it is who delivers that finds it.
    @Test func whatIsDamagedInASegmentThatIsFullIsPutAsideAndToldOnce() throws {
        try disk.mutate(Self.name(5)) { $0[700] ^= 1 }
        let core = try open()
        #expect(core.gaps == [])
        for reader in [0, 1] { #expect(try !numbers(core, reader).contains(5)) }
        func damage(_ exporter: String? = nil, spans: Int? = nil) -> JournalGap {
            JournalGap(reason: .damaged, sequences: 5...5, spans: spans, exporter: exporter)
        }
        #expect(core.gaps == [damage(spans: 1), damage("a"), damage("b")])
        core.release()
        #expect(try Self.segments(of: disk) == [Self.name(11)])
        let copies = disk.contents.filter { $0.key.hasPrefix(Quarantine.prefix) }
        #expect(copies.count == 1)
        let copy = try #require(copies.first)
        #expect(copy.key.hasPrefix("quarantine-\(Self.name(5))-"))
        #expect(copy.value.contains(5))
        #expect(core.events.contains { if case .quarantined(copy.key, _) = $0 { true } else { false } })
    }

    @Test func whereThereIsNoRoomForACopyNobodySaysThatThereIsOne() throws {
        try disk.remove(SegmentSummary.name(of: 5) + IndexFile.suffix)
        try disk.mutate(Self.name(5)) { $0[700] ^= 1 }
        disk.fail(.create, at: disk.count(of: .create) + 1)
        let core = try open()
        disk.repair()
        #expect(core.gaps.map(\.sequences) == [5...5])
        #expect(!core.events.contains { if case .quarantined = $0 { true } else { false } })
        #expect("\(core.events)".contains("trouble"))
        // There is now, and whoever delivers finds it again.
        let again = try open()
        #expect(try numbers(again, 1) == [1, 2, 3, 4] + Array(6...12))
        #expect(again.events.contains { if case .quarantined = $0 { true } else { false } })
    }

    @Test func theNewestSegmentMayHaveNoHeader() throws {
        for offset in [20, 276] { try disk.mutate(Self.name(11)) { $0[offset] ^= 1 } }
        let core = try open()
        // As many as would have fitted: nobody knows how many there were.
        #expect(core.gaps == [gap(11...11 + 1_536 / 80)])
        #expect(core.append([.numbered(100)]) == 1)
        #expect(try core.drain(0).map(\.sequence) == Array(5...10) + [11 + 1_536 / 80 + 1])
    }

    @Test func eitherCopyOfAHeaderIsEnough() throws {
        for offset in [20, 276] {
            let disk = try Self.makeDisk()
            try disk.mutate(Self.name(5)) { $0[offset] ^= 1 }
            #expect(try JournalCore(Self.limits, for: Self.destinations, on: disk).gaps == [])
        }
    }

    @Test func aCursorThatIsDamagedBeginsWithTheOldest() throws {
        for offset in [8, 520] { try disk.mutate("a.cursor") { $0[offset] ^= 1 } }
        let core = try open()
        #expect(try numbers(core, 0) == Array(1...12))
        #expect(core.gaps == [])
        #expect("\(core.events)".contains("the cursor of a is damaged"))
    }

    @Test func filesOfAnotherJournalAreNotRead() throws {
        let other = try Self.makeDisk()
        for (name, bytes) in other.contents where name.hasSuffix(".cursor") || name == Self.name(7) {
            try disk.mutate(name) { $0 = bytes }
        }
        let core = try open()
        #expect(core.gaps == [gap(7...8)])
        #expect(try numbers(core, 0) == [1, 2, 3, 4, 5, 6, 9, 10, 11, 12], "its cursor is another's")
    }

    @Test func theIdentityIsTakenFromSegmentsWhereItsFileIsLost() throws {
        let before = try #require(disk.contents[JournalRecovery.identityName])
        try disk.remove(JournalRecovery.identityName)
        let core = try open()
        #expect(try numbers(core, 0) == Array(5...12))
        #expect(disk.contents[JournalRecovery.identityName] == before)
    }

    @Test func filesThatNobodyNeedsAreRemoved() throws {
        let stray = SegmentSummary.name(of: 4_711)
        for name in ["oversize.seg", "\(stray).idx"] { _ = try disk.create(name, size: 1_536) }
        // A segment that was to be used again, and kept its old name when the power was cut.
        let other = try #require(disk.contents[Self.name(11)]).prefix(512)
        _ = try disk.create("00000000000000000000.seg", size: 1_536)
        try disk.mutate("00000000000000000000.seg") { $0.replaceSubrange(0..<512, with: other) }
        let core = try open()
        #expect(core.gaps == [])
        #expect(try !disk.names().contains { $0 == "oversize.seg" || $0.hasPrefix(stray) || $0.hasSuffix("00.seg") })
        #expect(try numbers(core, 1) == Array(1...12))
    }

    @Test func aSegmentThatComesBackIsLetGoOfAgain() throws {
        let before = disk.contents[Self.name(1)]
        let core = try open()
        for reader in [0, 1] { _ = try core.drain(reader) }
        core.release()
        #expect(try Self.segments(of: disk) == [Self.name(11)])
        _ = try disk.create(Self.name(1), size: 1_536)
        try disk.mutate(Self.name(1)) { $0 = before ?? [] }
        let again = try open()
        #expect(again.gaps == [])
        #expect(again.append([.numbered(100)]) == 1)
        for reader in [0, 1] { #expect(try numbers(again, reader) == [100]) }
        again.release()
        #expect(try Self.segments(of: disk).first != Self.name(1))
    }

    @Test(arguments: [0, 512, 1_024, 4_096])
    func aSpareOfAnotherSizeIsNotUsed(size: Int) throws {
        _ = try? disk.remove(JournalLog.spareName)
        _ = try disk.create(JournalLog.spareName, size: size)
        let core = try open()
        #expect(core.append([.numbered(100, bytes: 900), .numbered(101, bytes: 900)]) == 2)
        #expect(try numbers(core, 0) == Array(5...12) + [100, 101])
        let bytes = disk.contents.filter { $0.key.hasSuffix(".seg") }.reduce(0) { $0 + $1.value.count }
        #expect(core.fileBytes == bytes)
    }

    @Test func whatIsParkedForWhoIsGoneIsLeftBehindToo() throws {
        var left: [String: Int] = [:]
        _ = try Journal.recover(
            from: disk, Self.limits, for: [.init("b")], parked: ["a": 3, "b": 9, "gone": 2, "none": 0],
            at: Timestamp(nanoseconds: 1)
        ) { event in
            if case .leftBehind(let exporter, let spans) = event { left[exporter] = spans }
        }
        #expect(left == ["a": 8 + 3, "gone": 2])
    }

    @Test func anExporterThatComesBackGoesOnWhereItWas() throws {
        let core = try open([.init("b")])
        #expect("\(core.events)".contains("leftBehind(exporter: \"a\", spans: 8)"))
        #expect(core.append([.numbered(13, bytes: 250)]) == 1)
        #expect(try numbers(core, 0) == Array(1...13))
        core.release()
        let both = try open([.init("b"), .init("a"), .init("new")])
        // It held nothing back while it was away.
        #expect(both.gaps == [gap(5...12, exporter: "a")])
        #expect(try numbers(both, 0) == [])
        #expect(try numbers(both, 1) == [13])
        #expect(try numbers(both, 2) == [])
        #expect(both.append([.numbered(14)]) == 1)
        for reader in 0..<3 { #expect(try numbers(both, reader) == [14]) }
    }

    @Test func anExporterThatIsNewBeginsWithWhatComes() throws {
        let core = try open([.init("a"), .init("b"), .init("c")])
        #expect(core.state.readers[2].unsettled == Load())
        #expect(core.append([.numbered(13)]) == 1)
        #expect(try numbers(core, 2) == [13])
        #expect(try numbers(core, 1) == Array(1...13))
    }

    @Test func aSegmentThatEndsInsideABlockIsFilledUpToTheBlock() throws {
        let disk = SimulatedDisk(seed: 1)
        #expect(try JournalCore(on: disk).append([.numbered(1)]) == 1)
        try disk.mutate(Self.name(1)) { $0.removeLast(4_096 - 2_148) }
        let core = try JournalCore(on: disk)
        #expect(core.append((2...11).map { .numbered($0, bytes: 200) }) == 10)
        #expect(try core.drain().compactMap(\.number) == Array(1...11))
        #expect(try JournalCore(on: disk).drain().compactMap(\.number) == Array(1...11))
    }
}
