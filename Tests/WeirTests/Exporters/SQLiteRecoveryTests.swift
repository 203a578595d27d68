import Foundation
import Testing

@testable import Weir

@Suite struct SQLiteRecoveryTests {
    private let start = SampleBatch.fourOClock
    private let day = SQLiteSample.day

    @Test func completesABatchOfWhichOneDayWasWritten() async throws {
        let sample = try SQLiteSample()
        try await sample.export(record([9], 9))
        let tomorrow = "\(sample.path)/spans-20260204.db"
        try FileManager.default.createDirectory(atPath: tomorrow, withIntermediateDirectories: true)
        let batch = [
            SampleBatch.record([(1, start), (2, start + day)], sequence: 10),
            SampleBatch.record([(3, start + day)], sequence: 11),
            SampleBatch.record([(4, start)], sequence: 12),
        ]
        let reason = await sample.refusal(batch)
        #expect(reason?.hasPrefix("hot/spans-20260204.db: cannot be opened, wanted a directory that this") == true)
        #expect(try sample.spanIDs() == ["1", "4", "9"])
        try FileManager.default.removeItem(atPath: tomorrow)
        // By the same process, then by one that knows nothing of the first attempt.
        for sample in [sample, try SQLiteSample(in: sample.directory)] {
            try await sample.export(batch)
            #expect(try sample.spanIDs() == ["1", "4", "9"])
            #expect(try sample.spanIDs(day: "20260204") == ["2", "3"])
        }
        #expect(try sample.ledger() == ["9-12 3/0"])
        #expect(try sample.ledger(day: "20260204") == ["10-11 2/0"])
        #expect(sample.metric("stored_spans") == 5)
        #expect(sample.metric("repeated_spans") == 2)
    }

    @Test func letsSeveralExportersWriteTheSameDirectoryAtOnce() async throws {
        let directory = try TemporaryDirectory()
        let samples = try (1...3).map { try SQLiteSample(in: directory, journal: UInt64($0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sample in samples {
                group.addTask {
                    for sequence in 1...20 as ClosedRange<UInt64> {
                        try await sample.export(
                            SampleBatch.record(
                                [(sequence, start), (sequence, start + day)], tenant: "t\(sequence % 5)",
                                sequence: sequence))
                    }
                }
            }
            try await group.waitForAll()
        }
        for day in [SQLiteSample.today, "20260204"] {
            #expect(try samples[0].lines("SELECT count(*) FROM spans", day: day) == ["60"])
            #expect(try samples[0].ledger(day: day) == Array(repeating: "1-20 20/0", count: 3))
            #expect(try samples[0].lines("SELECT count(*) FROM tenants", day: day) == ["5"])
        }
        #expect(try samples[0].lines("SELECT count(*) FROM tenants", day: nil) == ["5"])
    }

    @Test func keepsTheNumbersOfTenantsWhereTheirFileIsLost() async throws {
        let directory = try TemporaryDirectory()
        let first = try SQLiteSample(in: directory)
        for (sequence, tenant) in zip(UInt64(1)..., ["a", "b"]) {
            try await first.export(record([1], sequence, tenant))
        }
        await first.exporter.finish()
        try FileManager.default.removeItem(atPath: "\(first.path)/meta.db")
        let second = try SQLiteSample(in: directory)
        for (sequence, tenant) in zip(UInt64(3)..., ["c", "b", "a"]) {
            try await second.export(record([2], sequence, tenant))
        }
        #expect(try second.lines("SELECT id, name FROM tenants ORDER BY id", day: nil) == ["1|a", "2|b", "3|c"])
        #expect(try second.lines("SELECT id, name FROM tenants ORDER BY id") == ["1|a", "2|b", "3|c"])
    }

    private func record(_ ids: [UInt64], _ sequence: UInt64, _ tenant: String = "default") -> JournalRecord {
        SampleBatch.record(ids.map { ($0, start) }, tenant: tenant, sequence: sequence)
    }

    /// A journal that is older than the tables gives its numbers out again.
    @Test func recordsThatAnotherProcessHasWrittenAreNotTakenForOnes() async throws {
        let first = try SQLiteSample()
        let start = SampleBatch.fourOClock
        let record = SampleBatch.record([(1, start)], sequence: 3)
        try await first.export([record], recoveredThrough: 2)
        // It may have been stored before an answer was lost.
        try await first.export([record], recoveredThrough: 2)
        let second = try SQLiteSample(in: first.directory)
        let other = SampleBatch.record([(2, start)], sequence: 3)
        for _ in 1...2 {
            await #expect(throws: ExportError.self) { try await second.export([other], recoveredThrough: 2) }
        }
        #expect(try first.spanIDs() == ["1"])
        // One that goes on with the same journal knows of it.
        let third = try SQLiteSample(in: first.directory)
        try await third.export([record, SampleBatch.record([(4, start)], sequence: 4)], recoveredThrough: 3)
        #expect(try first.spanIDs() == ["1", "4"])
    }
}
