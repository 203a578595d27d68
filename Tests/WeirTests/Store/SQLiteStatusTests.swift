import Foundation
import Testing

@testable import Weir

@Suite struct SQLiteStatusTests {
    private let start = SampleBatch.fourOClock

    @Test func saysWhatThereIsWhileItIsWritten() async throws {
        let directory = try TemporaryDirectory()
        let one = try SQLiteSample(in: directory, journal: 0xF)
        let other = try SQLiteSample(in: directory, journal: 0xFFFF_0000_0000_0001)
        try await one.export(SampleBatch.record([(1, start), (2, start + SQLiteSample.day)], sequence: 4))
        try await other.export(SampleBatch.record([(3, start)], sequence: 9))
        let status = try SQLiteStatus.read(directory: one.path)
        #expect(status.days.map(\.day.text) == ["2026-02-03", "2026-02-04"])
        #expect(status.days.map(\.spans) == [2, 1])
        #expect(status.days.map(\.schemaVersion) == Array(repeating: SQLiteMigration.day.count, count: 2))
        #expect(status.journals.map(\.id.text) == ["000000000000000f", "ffff000000000001"])
        #expect(status.journals.map(\.lastSequence) == [4, 9])
        #expect(status.journals.map(\.floor) == [4, 9])
        #expect(status.journals.map(\.spans) == [2, 1])
        #expect(status.rejects == 0)
        let sizes = try directory.files().filter { !$0.hasSuffix("-shm") }.map { try directory.contents(of: $0).count }
        #expect(status.bytes == sizes.reduce(0, +))
    }

    @Test func findsNothingWhereNothingIs() throws {
        let directory = try TemporaryDirectory()
        #expect(
            try SQLiteStatus.read(directory: "\(directory.path)/hot")
                == SQLiteStatus(days: [], journals: [], rejects: 0, bytes: 0))
        #expect(directory.files() == [])
    }

    @Test func takesAFileThatIsBeingMadeForADayWithoutSpans() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, start)]))
        try Data().write(to: URL(fileURLWithPath: "\(sample.path)/spans-20260204.db"))
        #expect(try SQLiteStatus.read(directory: sample.path).days.map(\.spans) == [1, 0])
    }

    @Test func readsTheDayOfAFileFromItsName() {
        for number in stride(from: 0, to: 200_000, by: 17) {
            #expect(Day(compact: Day(number: number).compact) == Day(number: number))
        }
        for text in ["", "2026023", "20260230", "20261301", "-2026020", "+2026020", "19691231", "2026020x"] {
            #expect(Day(compact: text) == nil)
        }
    }
}
