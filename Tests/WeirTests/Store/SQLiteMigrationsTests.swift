import Foundation
import GRDB
import Testing

@testable import Weir

@Suite struct SQLiteMigrationsTests {
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    @Test func makesTheTablesOnce() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, SampleBatch.fourOClock)]))
        await sample.exporter.finish()
        #expect(
            try sample.lines("SELECT version, name, sha256, applied_at FROM schema_migrations")
                == SQLiteMigration.day.map { "\($0.version)|\($0.name)|\($0.checksum)|\(now.microseconds)" })
        #expect(try SQLiteMigrations.apply(directory: sample.path, at: now) == [])
        #expect(try sample.lines("PRAGMA page_size") == ["16384"])
        #expect(try sample.lines("PRAGMA journal_mode") == ["wal"])
    }

    @Test func saysOfEveryTableAndViewWhatARowIs() throws {
        for migration in SQLiteMigration.day + SQLiteMigration.meta {
            let lines = migration.sql.split(separator: "\n").map { $0.drop { $0 == " " } }
            for (line, next) in zip(lines, lines.dropFirst())
            where line.hasPrefix("CREATE TABLE") || line.hasPrefix("CREATE VIEW") {
                #expect(next.hasPrefix("-- "), "\(line)")
            }
        }
    }

    @Test func doesWhatIsMissingInEveryFile() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/hot"
        let meta = SQLiteMigration.meta.map {
            SQLiteMigrations.Applied(file: "meta.db", version: $0.version, name: $0.name)
        }
        #expect(try SQLiteMigrations.apply(directory: path, at: now) == meta)
        try Data().write(to: URL(fileURLWithPath: "\(path)/spans-20260203.db"))
        let day = SQLiteMigration.day.map {
            SQLiteMigrations.Applied(file: "spans-20260203.db", version: $0.version, name: $0.name)
        }
        #expect(try SQLiteMigrations.apply(directory: path, at: now) == day)
        #expect(try SQLiteMigrations.apply(directory: path, at: now) == [])
    }

    @Test func addsToAFileThatHasRows() throws {
        let database = try DatabaseQueue()
        let next = SQLiteMigration(version: 2, name: "more", sql: "ALTER TABLE tenants ADD COLUMN plan text")
        try database.writeWithoutTransaction { (db: Database) throws in
            #expect(try SQLiteMigrations.apply([.firstMeta], to: db, at: now) == [1])
            try db.execute(sql: "INSERT INTO tenants VALUES (1, 'a', 2)")
            #expect(try SQLiteMigrations.apply([.firstMeta, next], to: db, at: now) == [2])
            #expect(try Row.fetchOne(db, sql: "SELECT id, plan FROM tenants") == ["id": 1, "plan": nil])
            #expect(try SQLiteMigrations.check([.firstMeta, next], of: db) == 2)
        }
    }

    @Test(arguments: [SQLiteMigration.day, SQLiteMigration.meta])
    func aFileOfAnyOlderVersionKeepsItsRows(migrations: [SQLiteMigration]) throws {
        for version in 1..<migrations.count {
            let database = try DatabaseQueue()
            try database.writeWithoutTransaction { (db: Database) throws in
                _ = try SQLiteMigrations.apply(Array(migrations.prefix(version)), to: db, at: now)
                try db.execute(sql: "INSERT INTO tenants VALUES (1, 'acme', 2)")
                let added = try SQLiteMigrations.apply(migrations, to: db, at: now)
                #expect(added == Array(version + 1...migrations.count))
                #expect(try String.fetchAll(db, sql: "SELECT name FROM tenants") == ["acme"])
            }
        }
    }

    @Test func leavesAFileAsItWasWhereAStepFails() throws {
        let database = try DatabaseQueue()
        let next = SQLiteMigration(version: 2, name: "bad", sql: "CREATE TABLE more (x); CREATE TABLE tenants (x);")
        try database.writeWithoutTransaction { (db: Database) throws in
            #expect(throws: DatabaseError.self) {
                try SQLiteMigrations.apply([.firstMeta, next], to: db, at: now)
            }
            #expect(try SQLiteMigrations.check([.firstMeta], of: db) == 1)
            #expect(try !db.tableExists("more"))
        }
    }

    @Test(arguments: [
        (
            "INSERT INTO schema_migrations VALUES (99, 'more', 'x', 0)",
            "found tables of version 99, wanted at most \(SQLiteMigration.day.count): they are of a newer weir (SQLite 1)"
        ),
        (
            "UPDATE schema_migrations SET sha256 = 'x' WHERE version = 1",
            "found a version 1 of the tables with another checksum, wanted that of this weir (SQLite 1)"
        ),
    ]) func refusesTablesThatItDoesNotKnow(change: String, reason: String) async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, SampleBatch.fourOClock)]))
        await sample.exporter.finish()
        try sample.change(change)
        let failure = SQLiteFailure("\(sample.path)/spans-20260203.db", reason)
        #expect(throws: failure) { try SQLiteMigrations.apply(directory: sample.path, at: now) }
        #expect(throws: failure) { try SQLiteStatus.read(directory: sample.path) }
        let day = try #require(try SQLiteDirectory(sample.path).days().first)
        #expect(throws: failure) { try SQLiteDirectory(sample.path).reader(day) }
    }
}
