import Testing

@testable import Weir

@Suite struct ArchiveRestoreTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let hour = SampleBatch.hour

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: [ArchiveFormat.json, .proto]) func bringsADayBackOnce(format: ArchiveFormat) async throws {
        let records = try ErasureSample.records()
        try await archive(records, format)
        let sample = try SQLiteSample()
        try await sample.export(records)
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        let rows = try sample.lines(Self.rows)
        // As long as the day is there, nothing is to be brought.
        #expect(try await restore(tables) == outcome(files: 4, spans: 0, present: 7))
        let rollups = try sample.lines(Self.rollups)
        await sample.exporter.finish()
        try SQLiteDirectory(sample.path).remove(Day(now))
        #expect(try await restore(tables) == outcome(files: 4, spans: 7, present: 0))
        #expect(try sample.lines(Self.rows) == rows)
        #expect(try sample.lines(Self.rollups) == rollups)
        #expect(try await restore(tables) == outcome(files: 4, spans: 0, present: 7))
        #expect(try sample.lines(Self.rows) == rows)
    }

    @Test func goesOnWhereItWasKilled() async throws {
        let records = try ErasureSample.records()
        try await archive(records)
        let sample = try SQLiteSample()
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        try tables.restore(FrozenBatch(records: Array(records.prefix(2))), at: now)
        #expect(try await restore(tables) == outcome(files: 4, spans: 3, present: 4))
        #expect(try sample.spanIDs() == (1...7).map { "\($0)" })
    }

    @Test func whatAnExporterWillStoreIsLeftToIt() async throws {
        let records = try ErasureSample.records()
        try await archive(records)
        let sqlite = try SQLiteSample()
        try await sqlite.export(Array(records.prefix(2)))
        let postgres = try PostgresSample()
        for record in records.prefix(2) { try await postgres.export(record) }
        let tables = [
            HotTables.sqlite(SQLiteDirectory(sqlite.path)),
            .postgres(connection: postgres.schema.connection, schema: postgres.schema.name),
        ]
        for tables in tables {
            let found = try await restore(tables)
            #expect(found.spans == 0 && found.present == 4 && found.pending == 3)
        }
        try await sqlite.export(Array(records.dropFirst(2)))
        #expect(try await restore(tables[0]) == outcome(files: 4, spans: 0, present: 7))
    }

    @Test func whatWasErasedStaysSo() async throws {
        try await archive(try ErasureSample.records())
        var register = try ErasureRegister("\(directory.path)/erasures")
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
            return entry
        }
        let sample = try SQLiteSample()
        let found = try await restore(.sqlite(SQLiteDirectory(sample.path)))
        #expect(found.spans == 3 && found.erased == 4)
        #expect(try sample.spanIDs() == ErasureSample.left.map { "\($0)" })
    }

    @Test func whatIsErasedWhileItBeginsStaysSo() async throws {
        try await archive(try ErasureSample.records())
        let before = try ErasureRegister("\(directory.path)/erasures")
        var register = before
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
            return entry
        }
        let sample = try SQLiteSample()
        let catalog = ArchiveCatalog(
            root: directory.path, selection: ArchiveCatalog.Selection(tenant: "default"))
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        let restore = try ArchiveRestore(catalog, tenant: "default", into: tables, before)
        #expect(try await restore.run(at: now).spans == 3)
        // Nor does anybody erase, or restore as well, before it is done.
        #expect(try register.lockPlaces() == nil)
        await #expect(throws: ErasureFailure.self) { try await self.restore(tables) }
        withExtendedLifetime(restore) {}
    }

    @Test func aRequestOfTwoHoursComesBackWhole() async throws {
        let start = SampleBatch.fourOClock
        try await archive(
            [
                SampleBatch.record([(1, start), (2, start + hour)], sequence: 1),
                SampleBatch.record([(3, start)], sequence: 2),
                SampleBatch.record([(4, start + hour)], sequence: 3), SampleBatch.record([(5, start)], sequence: 4),
            ], together: true)
        let sample = try SQLiteSample()
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        #expect(try await restore(tables) == outcome(files: 2, spans: 5, present: 0))
        #expect(
            try sample.lines("SELECT span_id, sequence FROM spans ORDER BY 1") == ["1|1", "2|1", "3|2", "4|3", "5|4"])
        #expect(try await restore(tables) == outcome(files: 2, spans: 0, present: 5))
    }

    @Test func whatWasErasedInTheArchiveLeavesTheOthersTheirSequences() async throws {
        try await archive(try ErasureSample.records(), together: true)
        let erasure = try #require(try ArchiveErasure(directory.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: now)
        let sample = try SQLiteSample()
        #expect(try await restore(.sqlite(SQLiteDirectory(sample.path))).spans == 3)
        #expect(try sample.lines("SELECT span_id, sequence FROM spans ORDER BY 1") == ["3|2", "4|2", "7|4"])
    }

    @Test func saysWhatItLeavesOut() async throws {
        try await archive(try ErasureSample.records(), .parquet)
        let sample = try SQLiteSample()
        let found = try await restore(.sqlite(SQLiteDirectory(sample.path)))
        #expect(found.spans == 0 && found.left.count == 4)
    }

    @Test func bringsADayBackIntoPostgres() async throws {
        let records = try ErasureSample.records()
        try await archive(records)
        let sample = try PostgresSample()
        for record in records { try await sample.export(record) }
        let tables = HotTables.postgres(connection: sample.schema.connection, schema: sample.schema.name)
        #expect(try await restore(tables) == outcome(files: 4, spans: 0, present: 7))
        // The ledger remembers them.
        _ = try sample.rows("DELETE FROM spans WHERE span_id <> 3")
        _ = try sample.rows("DELETE FROM spans")
        #expect(try await restore(tables) == outcome(files: 4, spans: 7, present: 0))
        #expect(try sample.rows("SELECT span_id, sequence FROM spans ORDER BY 1").first == "1|1")
        #expect(try await restore(tables) == outcome(files: 4, spans: 0, present: 7))
        #expect(try sample.spanIDs() == Array(1...7))
    }

    // MARK: -

    private static let rows =
        "SELECT journal, sequence, span_id, name, attributes, start_ns FROM spans ORDER BY span_id"
    private static let rollups = "SELECT minute, name, sum(spans) FROM span_rollups GROUP BY 1, 2 ORDER BY 1, 2"

    private func outcome(files: Int, spans: Int, present: Int) -> ArchiveRestore.Outcome {
        ArchiveRestore.Outcome(files: files, spans: spans, present: present)
    }

    private func restore(_ tables: HotTables) async throws -> ArchiveRestore.Outcome {
        let catalog = ArchiveCatalog(
            root: directory.path, selection: ArchiveCatalog.Selection(tenant: "default"))
        let register = try ErasureRegister("\(directory.path)/erasures")
        return try await ArchiveRestore(catalog, tenant: "default", into: tables, register).run(at: now)
    }

    /// - Parameter together: whether they stand in as few files as may be.
    private func archive(
        _ records: [JournalRecord], _ format: ArchiveFormat = .proto, together: Bool = false
    ) async throws {
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        for record in records {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            if !together { await archive.exporter.settle() }
        }
        await archive.exporter.finish()
    }
}
