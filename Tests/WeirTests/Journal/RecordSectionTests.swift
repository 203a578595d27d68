import Testing

@testable import Weir

@Suite struct RecordSectionTests {
    @Test func aValueIsFoundByItsTag() {
        var section = RecordSection()
        #expect(section.value(of: .origin) == nil)
        section.add(.sampledOut, [1, 2, 3])
        section.add(.origin, [])
        #expect(section.value(of: .sampledOut) == [1, 2, 3])
        #expect(section.value(of: .origin) == [])
    }

    @Test func aTagThatNobodyKnowsIsSkipped() {
        let section = [UInt8]([200, 2, 0, 0, 0, 7, 7, 2, 1, 0, 0, 0, 9]).withUnsafeBytes { RecordSection($0) }
        #expect(section.value(of: .origin) == [9])
        #expect(section.value(of: .sampledOut) == nil)
    }

    @Test func isReadNoFurtherThanItsEnd() {
        let whole = RecordSection.sample.bytes
        for count in 0..<whole.count {
            let cut = whole[..<count].withUnsafeBytes { RecordSection($0) }
            #expect(cut.value(of: .origin) == nil, "\(count) bytes")
        }
    }

    @Test func comesBackFromMemoryAndFromTheDisk() throws {
        let disk = SimulatedDisk(seed: 1)
        var entry = JournalEntry.numbered(1)
        entry.section = .sample
        let journal = try JournalCore(on: disk)
        #expect(journal.append([entry, .numbered(2)]) == 2)
        let sections = [RecordSection.sample, RecordSection()]
        #expect(try journal.drain().map(\.section) == sections)
        let again = try JournalCore(on: disk).drain()
        #expect(again.map(\.section) == sections)
        #expect(again.map(\.number) == [1, 2])
    }
}

extension RecordSection {
    static var sample: RecordSection {
        var section = RecordSection()
        section.add(.sampledOut, [1, 2, 3, 4])
        section.add(.origin, [5, 6])
        return section
    }

    fileprivate mutating func add(_ tag: Tag, _ value: [UInt8]) {
        value.withUnsafeBytes { add(tag, $0) }
    }
}
