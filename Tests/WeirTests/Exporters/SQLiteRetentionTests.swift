import Foundation
import GRDB
import Synchronization
import Testing

@testable import Weir

@Suite struct SQLiteRetentionTests {
    private let start = SampleBatch.fourOClock
    private let day = SQLiteSample.day

    @Test func removesTheFilesOfDaysThatEndedLongEnoughAgo() async throws {
        let sample = try SQLiteSample("retention: 2d")
        try await sample.export(SampleBatch.record([(1, start - day), (2, start), (3, start + day)]))
        sample.clock.advance(seconds: 2 * 86_400 - 4 * 3_600 - 1)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try SQLiteDirectory(sample.path).days().map(\.compact) == ["20260202", "20260203", "20260204"])
        sample.clock.advance(seconds: 60)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try SQLiteDirectory(sample.path).days().map(\.compact) == ["20260203", "20260204"])
        #expect(!sample.directory.files().contains { $0.contains("20260202") })
        #expect(sample.metric("dropped_files") == 1)
        #expect(sample.metric("files") == 2)
        #expect(sample.log.lines.last == "info: removed a day after its retention day=2026-02-02")
        try await sample.export(SampleBatch.record([(4, start)], sequence: 2))
        #expect(try sample.spanIDs() == ["2", "4"])
    }

    @Test func rowsOfATenantGoBeforeThoseOfOthers() async throws {
        let isArchived = Flag()
        let sample = try SQLiteSample(
            "retention: 5d", "retention_classes:", "  long: { tenants: [bank], retention: 20d }",
            "  short: { tenants: [guest], retention: 1d }", mayDrop: { _ in isArchived.isSet })
        let call = SampledOutRecord.call(4)
        for (tenant, sequence) in [("bank", 1), ("guest", 2), ("other", 3)] as [(String, UInt64)] {
            let spans = [SampledOutRecord.span(sequence), call, SampledOutRecord.span(9)]
            try await sample.export(SampledOutRecord.make(spans, out: [2], sequence: sequence, tenant: tenant))
        }
        let tables = ["spans", "llm_usage", "span_rollups", "cost_ledger", "cost_rollups", "resources", "scopes"]
        func tenants() throws -> Set<String> {
            var found: Set<String> = []
            for table in tables {
                let rows = try sample.lines(
                    "SELECT DISTINCT t.name FROM \(table) r LEFT JOIN tenants t ON t.id = r.tenant_id ORDER BY 1")
                if !found.isEmpty { #expect(Set(rows) == found, "\(table)") }
                found = Set(rows)
            }
            return found
        }
        #expect(try tenants() == ["bank", "guest", "other"])
        sample.clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try tenants() == ["bank", "guest", "other"])
        isArchived.set(true)
        sample.clock.advance(seconds: 3_600)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try tenants() == ["bank", "other"])
        // What comes late is not stored either, and the ledger has it.
        let late = try SampledOutRecord.make([SampledOutRecord.span(7)], out: [], sequence: 4, tenant: "guest")
        try await sample.export(late)
        #expect(try tenants() == ["bank", "other"] && sample.metric("expired_spans") == 1)
        sample.clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try tenants() == ["bank"])
        #expect(try sample.lines("PRAGMA user_version") == ["0"] && sample.spanIDs() == ["1", "4"])
        sample.clock.advance(seconds: 20 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try SQLiteDirectory(sample.path).days() == [])
    }

    @Test func aDayGoesWithTheLastTenantThatHasRows() async throws {
        let sample = try SQLiteSample(
            "retention: 20d", "retention_classes: { short: { tenants: [guest], retention: 1d } }")
        let records = try [1, 2].map { sequence in
            try SampledOutRecord.make([SampledOutRecord.span(1)], out: [], sequence: sequence, tenant: "guest")
        }
        try await sample.export(records[0])
        sample.clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try SQLiteDirectory(sample.path).days() == [] && sample.metric("dropped_files") == 1)
        try await sample.export(records[1])
        #expect(try SQLiteDirectory(sample.path).days() == [])
    }

    private static let short = ["retention: 20d", "retention_classes: { short: { tenants: [guest], retention: 1d } }"]
        .joined(separator: "\n")

    private func span(_ id: UInt64, of tenant: String) -> JournalRecord {
        SampleBatch.record([(id, start)], tenant: tenant, sequence: id)
    }

    @Test func aDayStaysForASpanThatComesWhileItIsAskedFor() async throws {
        let late = Mutex<SQLiteExporter?>(nil)
        let record = span(2, of: "bank")
        let sample = try SQLiteSample(
            Self.short,
            mayDrop: { _ in
                let exporter = late.withLock { $0 }
                return (try? await exporter?.export(FrozenBatch(records: [record]))) != nil
            })
        try await sample.export(span(1, of: "guest"))
        sample.clock.advance(seconds: 3 * 86_400)
        late.withLock { $0 = sample.exporter }
        await sample.exporter.tick(at: sample.clock.now)
        late.withLock { $0 = nil }
        #expect(try sample.spanIDs() == ["2"] && sample.lines("SELECT name FROM tenants") == ["bank"])
        #expect(sample.metric("dropped_files") == 0)
    }

    @Test func aDayStaysForWhatAnotherProcessIsWriting() async throws {
        let sample = try SQLiteSample(Self.short)
        try await sample.export(span(1, of: "guest"))
        sample.clock.advance(seconds: 3 * 86_400)
        let other = try shell(sample)
        try run("BEGIN IMMEDIATE; INSERT INTO tenants VALUES (99, 'bank', 0)", on: other)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(sample.log.lines.last?.contains("another process has it locked") == true)
        try run("COMMIT", on: other)
        #expect(try sample.lines("SELECT name FROM tenants ORDER BY name") == ["bank", "guest"])
        sample.clock.advance(seconds: 3_600)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.lines("SELECT name FROM tenants") == ["bank"] && sample.spanIDs() == [])
    }

    @Test func whatIsAcknowledgedIsThereWhateverGoesBesideIt() async throws {
        for _ in 1...20 {
            let directory = try TemporaryDirectory(in: "/dev/shm")
            let first = try SQLiteSample(in: directory)
            try await first.export(span(1, of: "guest"))
            await first.exporter.finish()
            let second = try SQLiteSample(in: directory)
            let erasure = SQLiteErasure(directory: SQLiteDirectory(first.path))
            let day = try #require(try erasure.directory.days().first)
            let removal = Task { try? erasure.remove(on: day, at: .now()) { $0 == "guest" } }
            while await second.refusal([span(2, of: "bank")]) != nil {}
            let isFileGone = await removal.value?.isFileGone
            #expect(try second.spanIDs().contains("2"), "\(String(describing: isFileGone))")
        }
    }

    @Test func aDamagedFileKeepsNoOtherFromBeingTidied() async throws {
        let sample = try SQLiteSample(Self.short)
        try await sample.export([span(1, of: "guest"), span(2, of: "bank")])
        var random = SplitMix64(seed: 1)
        let noise = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try Data(noise).write(to: URL(fileURLWithPath: "\(sample.path)/spans-20260202.db"))
        try sample.change("INSERT INTO rejects VALUES (0, 1, 1, 0, 1, x'00', 1, 'r', x'00')", day: nil)
        sample.clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.spanIDs() == ["2"])
        #expect(sample.metric("files") == 2 && (sample.metric("bytes") ?? 0) > 20_000)
        #expect(try sample.lines("SELECT count(*) FROM rejects", day: nil) == ["0"])
        let warnings = sample.log.lines.filter { $0.hasPrefix("warning: cannot tidy up a day day=2026-02-02") }
        #expect(warnings.count == 1 && warnings.first?.contains("is damaged") == true)
        for _ in 1...3 {
            sample.clock.advance(seconds: 10)
            await sample.exporter.tick(at: sample.clock.now)
        }
        #expect(sample.log.lines.count { $0.hasPrefix("warning") } == 1)
    }

    @Test func theRoomOfRowsIsGivenBackWhenNobodyReadsThem() async throws {
        let sample = try SQLiteSample(Self.short)
        try await sample.export([span(1, of: "guest"), span(2, of: "bank")])
        sample.clock.advance(seconds: 3 * 86_400)
        let reader = try shell(sample)
        try run("BEGIN; SELECT count(*) FROM spans", on: reader)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.spanIDs() == ["2"] && sample.lines("PRAGMA user_version") == ["1"])
        #expect(sample.log.lines.last?.hasPrefix("warning: cannot tidy up a day day=2026-02-03") == true)
        try run("COMMIT", on: reader)
        try reader.close()
        sample.clock.advance(seconds: 3_600)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.lines("PRAGMA user_version") == ["0"] && sample.spanIDs() == ["2"])
    }

    @Test func rollupsOfATenantWhoseTimeIsOverAreNotStored() async throws {
        let sample = try SQLiteSample(Self.short)
        sample.clock.advance(seconds: 3 * 86_400)
        let records = try [("guest", 1), ("bank", 2)].map { (tenant: String, sequence: UInt64) in
            let spans = [SampledOutRecord.span(1), SampledOutRecord.call(2), SampledOutRecord.span(3)]
            return try SampledOutRecord.make(spans, out: [1, 2], sequence: sequence, tenant: tenant)
        }
        try await sample.export(records)
        for table in ["spans", "llm_usage", "span_rollups", "cost_ledger", "tenants"] {
            let id = table == "tenants" ? "id" : "tenant_id"
            let rows = try sample.lines("SELECT DISTINCT t.name FROM \(table) r JOIN tenants t ON t.id = r.\(id)")
            #expect(rows == ["bank"], "\(table)")
        }
        #expect(try sample.ledger() == ["2-2 1/0"])
        #expect(sample.metric("expired_spans") == 1)
    }

    private func run(_ sql: String, on shell: DatabaseQueue) throws {
        try shell.writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    /// A connection to the day's file that keeps transactions open.
    private func shell(_ sample: SQLiteSample) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(
            path: "\(sample.path)/spans-\(SQLiteSample.today).db", configuration: configuration)
    }

    @Test func removesWhatAnUnfinishedRemovalLeftAndNothingElse() async throws {
        let sample = try SQLiteSample("retention: 1d")
        let names = [
            "spans-20250101.db-wal", "spans-20250101.db-shm", "spans-20250102.db", "spans-2025010.db", "spans-x.db",
            "spans-20250230.db", "notes.txt", "spans-20250101.db.bak", "spans-20991231.db",
        ]
        for name in names { try Data().write(to: URL(fileURLWithPath: "\(sample.path)/\(name)")) }
        await sample.exporter.tick(at: sample.clock.now)
        #expect(sample.directory.files() == names.dropFirst(3).map { "hot/\($0)" }.sorted())
    }

    @Test func keepsADayForWhomeverWantsItKept() async throws {
        let isArchived = Flag()
        let sample = try SQLiteSample("retention: 1d", mayDrop: { _ in isArchived.isSet })
        try await sample.export(SampleBatch.record([(1, start)]))
        sample.clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.spanIDs() == ["1"])
        isArchived.set(true)
        sample.clock.advance(seconds: 60)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try SQLiteDirectory(sample.path).days() == [])
    }

    @Test func aClockThatJumpsAheadTakesNothing() async throws {
        let clock = TestClock()
        let first = try SQLiteSample("retention: 30d", clock: clock)
        try await first.export(SampleBatch.record([(1, start)]))
        await first.exporter.tick(at: clock.now)
        clock.advance(seconds: 40 * 86_400)
        await first.exporter.tick(at: clock.now)
        // Nor does who begins while it is wrong.
        let second = try SQLiteSample("retention: 30d", in: first.directory, clock: clock)
        await second.exporter.tick(at: clock.now)
        // What waited meanwhile is stored, however old it seems.
        try await first.export(SampleBatch.record([(2, start)], sequence: 2))
        try await second.export(SampleBatch.record([(3, start)], sequence: 3))
        #expect(try first.spanIDs() == ["1", "2", "3"] && first.metric("expired_spans") == 0)
        for sample in [first, second] {
            #expect(sample.log.lines.last == "warning: \(RetentionClock.doubt) clock=2026-03-15")
            await sample.exporter.tick(at: Timestamp(nanoseconds: start + 60_000_000_000))
        }
        #expect(try first.spanIDs() == ["1", "2", "3"])
        #expect(first.metric("dropped_files") == 0 && second.metric("dropped_files") == 0)
    }

    @Test func storesNoSpansOfADayThatIsGivenUp() async throws {
        let sample = try SQLiteSample("retention: 1d")
        try await sample.export(SampleBatch.record([(1, start - 2 * day), (2, start), (3, 0)]))
        #expect(try SQLiteDirectory(sample.path).days().map(\.compact) == ["20260203"])
        #expect(sample.metric("expired_spans") == 2)
        #expect(sample.metric("stored_spans") == 1)
    }

    @Test func forgetsRejectsOfThatAge() async throws {
        let sample = try SQLiteSample("retention: 1d")
        try await sample.export(SampleBatch.record([(1, start)]))
        for hours in [25, 23] {
            try sample.change(
                "INSERT INTO rejects VALUES (\((start / 1_000) - UInt64(hours) * 3_600_000_000), 1, \(hours), 0, 1, "
                    + "x'00', 1, 'r', x'00')", day: nil)
        }
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.lines("SELECT sequence FROM rejects", day: nil) == ["23"])
    }

    @Test func emptiesTheLogOfAFileThatIsIdle() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, start)]))
        let log = "hot/spans-20260203.db-wal"
        #expect(try sample.directory.contents(of: log).count > 0)
        sample.clock.advance(seconds: 5)
        await sample.exporter.tick(at: sample.clock.now)
        #expect(try sample.directory.contents(of: log).count == 0)
        #expect(try sample.directory.contents(of: "hot/meta.db-wal").count == 0)
        #expect(try sample.spanIDs() == ["1"])
    }

    @Test func hasFewFilesOpenHoweverSpansAreScattered() async throws {
        let sample = try SQLiteSample("retention: 90d")
        for turn in 0..<2 as Range<UInt64> {
            try await sample.export(
                (0..<60).map { age in
                    SampleBatch.record(
                        [(age + 1, start - age * day)], sequence: turn * 60 + age + 1, received: start - age * day)
                })
            // What is closed has no log any more.
            let logs = sample.directory.files().filter { $0.hasSuffix("-wal") && !$0.contains("meta") }
            #expect(logs.count == SQLiteFiles.maxOpen)
        }
        #expect(sample.metric("stored_spans") == 120)
        #expect(try SQLiteDirectory(sample.path).days().count == 60)
    }

    /// To open them anew for each batch took longer than all else.
    @Test func theDaysOfAMonthStayOpen() async throws {
        let sample = try SQLiteSample("retention: 90d")
        try await sample.export(SampleBatch.record((0..<31).map { ($0 + 1, start - $0 * day) }))
        let logs = sample.directory.files().filter { $0.hasSuffix("-wal") && !$0.contains("meta") }
        #expect(logs.count == 31)
        await sample.exporter.finish()
        #expect(!sample.directory.files().contains { $0.hasSuffix("-wal") })
    }
}
