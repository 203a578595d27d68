import Foundation
import GRDB
import Testing

@testable import Weir

/// What can be wrong with a file: a reason that says what to do, nothing lost, and nothing twice once it is repaired.
@Suite struct SQLiteFailureTests {
    private let start = SampleBatch.fourOClock
    private let first = SampleBatch.record([(1, SampleBatch.fourOClock)])
    private let second = SampleBatch.record([(2, SampleBatch.fourOClock)], sequence: 2)
    private static let file = "spans-\(SQLiteSample.today).db"

    @Test func waitsForRoomOnTheDisk() throws {
        let directory = try TemporaryDirectory()
        let file = try SQLiteFile(
            "\(directory.path)/\(Self.file)", SQLiteMigration.day, at: Timestamp(nanoseconds: start))
        let pages = try file.read { db in try Int.fetchOne(db, sql: "PRAGMA page_count") } ?? 0
        do {
            try file.write(at: Timestamp(nanoseconds: start)) { db in
                try db.execute(sql: "PRAGMA max_page_count = \(pages)")
                for id in 1...10_000 {
                    try db.execute(sql: "INSERT INTO tenants VALUES (?, hex(randomblob(1000)), 0)", arguments: [id])
                }
            }
            Issue.record("found room")
        } catch {
            #expect(error.reason.hasPrefix("cannot grow, wanted room on the disk: database or disk is full"))
        }
        #expect(try file.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM tenants") } == 0)
        file.close()
    }

    @Test func saysTheSameWhereTheFileBesideItFindsNoRoom() {
        func reason(_ code: ResultCode) -> String {
            SQLiteFailure("f", DatabaseError(resultCode: code, message: "disk I/O error")).reason
        }
        #expect(reason(.SQLITE_IOERR_SHMSIZE) == "cannot grow, wanted room on the disk: disk i/o error (SQLite 4874)")
        #expect(reason(.SQLITE_IOERR_READ) == "disk i/o error (SQLite 266)")
    }

    @Test(.enabled(if: SmallDisk.isAllowed)) func losesNothingOnAFullDisk() async throws {
        let disk = try SmallDisk(mebibytes: 8)
        let ballast = "\(disk.directory.path)/ballast"
        try Data(count: 5 << 20).write(to: URL(fileURLWithPath: ballast))
        let sample = try SQLiteSample(in: disk.directory)
        var exported: UInt64 = 0
        var reason: String?
        while reason == nil, exported < 1_000 {
            reason = await sample.refusal([padded(exported + 1)])
            if reason == nil { exported += 1 }
        }
        #expect(reason?.contains("wanted room on the disk") == true || reason?.contains("disk i/o error") == true)
        try FileManager.default.removeItem(atPath: ballast)
        try await sample.export(padded(exported + 1))
        #expect(try sample.spanIDs() == (1...exported + 1).map { "\($0)" })
        #expect(try sample.ledger() == ["1-\(exported + 1) \(exported + 1)/0"])
        await sample.exporter.finish()
    }

    @Test func saysWhatToDoAboutADamagedFileAndLeavesIt() async throws {
        let sample = try SQLiteSample()
        let path = "\(sample.path)/\(Self.file)"
        try Data(repeating: 7, count: 50_000).write(to: URL(fileURLWithPath: path))
        let reason = try #require(await sample.refusal([first]))
        #expect(reason.hasPrefix("hot/\(Self.file): is damaged, wanted a sound database: move it away with its -wal"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 50_000)
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).damaged")
        try await sample.export(first)
        #expect(try sample.spanIDs() == ["1"])
    }

    @Test func waitsForAnotherProcessThatHasAFileLocked() async throws {
        let sample = try SQLiteSample()
        try await sample.export(first)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: "\(sample.path)/\(Self.file)", configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        let reason = try #require(await sample.refusal([second]))
        #expect(
            reason.hasPrefix("hot/\(Self.file): another process has it locked for longer than 5s: database is lock"))
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try await sample.export(second)
        #expect(try sample.spanIDs() == ["1", "2"])
    }

    @Test func beginsAnewWhereTheDirectoryWasRemoved() async throws {
        let sample = try SQLiteSample()
        try await sample.export(first)
        try FileManager.default.removeItem(atPath: sample.path)
        #expect(
            await sample.refusal([second]) == "hot/\(Self.file): was removed or replaced while it was open")
        try await sample.export(second)
        #expect(try sample.spanIDs() == ["2"])
        #expect(try sample.lines("SELECT id, name FROM tenants", day: nil) == ["1|default"])
    }

    @Test func leavesTheLogOfAFileThatTookThePlaceOfItsOwn() async throws {
        let sample = try SQLiteSample()
        try await sample.export(first)
        try FileManager.default.removeItem(atPath: sample.path)
        let other = try SQLiteSample(in: sample.directory)
        try await other.export(second)
        await sample.exporter.finish()
        #expect(other.directory.files().contains("hot/\(Self.file)-wal"))
        #expect(try other.spanIDs() == ["2"])
    }

    @Test func refusesAFileOfANewerWeirUntilItIsGone() async throws {
        let sample = try SQLiteSample()
        try await sample.export(first)
        await sample.exporter.finish()
        try sample.change("INSERT INTO schema_migrations VALUES (99, 'more', 'x', 0)")
        #expect(
            await sample.refusal([second])
                == "hot/\(Self.file): found tables of version 99, wanted at most \(SQLiteMigration.day.count): "
                + "they are of a newer weir (SQLite 1)")
        try sample.change("DELETE FROM schema_migrations WHERE version = 99")
        try await sample.export(second)
        #expect(try sample.spanIDs() == ["1", "2"])
    }

    @Test func refusesAFileWhoseTenantsHaveOtherNumbers() async throws {
        let sample = try SQLiteSample()
        try await sample.export(first)
        await sample.exporter.finish()
        try sample.change("UPDATE tenants SET name = 'somebody'", day: nil)
        let reason = try #require(
            await sample.refusal([SampleBatch.record([(2, start)], tenant: "somebody", sequence: 2)]))
        #expect(reason.hasPrefix("hot/\(Self.file): found another tenant with the number that meta.db has given"))
        #expect(try sample.spanIDs() == ["1"])
    }

    private func padded(_ sequence: UInt64) -> JournalRecord {
        SampleBatch.record([(sequence, start)], sequence: sequence, padding: 20_000)
    }
}
