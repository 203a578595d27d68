import Testing

@testable import Weir

@Suite struct ArchiveRestoreTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let hour = SampleBatch.hour

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: ArchiveFormat.allCases) func bringsADayBackOnce(format: ArchiveFormat) async throws {
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

    @Test func ofAJournalThatIsHereTheCursorSaysWhatIsStillToComeAlsoToNewTables() async throws {
        let records = try ErasureSample.records()
        try await archive(records)
        let postgres = try PostgresSample()
        let journal = FrozenBatch(records: []).journal
        let tables = [
            HotTables.sqlite(SQLiteDirectory("\(directory.path)/new")),
            .postgres(connection: postgres.schema.connection, schema: postgres.schema.name),
        ]
        for tables in tables {
            let found = try await restore(tables, cursors: [journal: Cursor(next: 1, done: [2...2])])
            #expect(found.spans == 2 && found.pending == 5)
            let again = try await restore(tables, cursors: [journal: Cursor(next: 5)])
            #expect(again.spans == 5 && again.present == 2 && again.pending == 0)
        }
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

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func aRequestOfTwoHoursComesBackWhole(format: ArchiveFormat) async throws {
        let start = SampleBatch.fourOClock
        try await archive(
            [
                SampleBatch.record([(1, start), (2, start + hour)], sequence: 1),
                SampleBatch.record([(3, start)], sequence: 2),
                SampleBatch.record([(4, start + hour)], sequence: 3), SampleBatch.record([(5, start)], sequence: 4),
            ], format, together: true)
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
        let start = SampleBatch.fourOClock
        try await archive([SampleBatch.record([(1, start), (2, start + hour)], sequence: 1)])
        // An older Weir had a place for spans of requests with too many hours.
        let null = ArchivePartition.null
        for file in directory.files() where file.contains("/hour=05/") {
            let path = file.replacing("date=2026-02-03/hour=05", with: "date=\(null)/hour=\(null)")
            let bytes = try directory.contents(of: file)
            let text = String(decoding: bytes, as: UTF8.self)
            let isManifest = file.hasSuffix(".json")
            try Directory.create(Directory.parent(of: Directory.parent(of: "\(directory.path)/\(path)")))
            try Directory.create(Directory.parent(of: "\(directory.path)/\(path)"))
            try Directory.replace(
                "\(directory.path)/\(path)",
                with: isManifest
                    ? Array(text.replacing("date=2026-02-03/hour=05", with: "date=\(null)/hour=\(null)").utf8) : bytes)
            try Directory.removeFile("\(directory.path)/\(file)")
        }
        let sample = try SQLiteSample()
        let found = try await restore(.sqlite(SQLiteDirectory(sample.path)))
        #expect(found.spans == 1 && found.left.count == 1)
    }

    @Test(arguments: ArchiveFormat.allCases) func namesAManifestThatCannotBeRead(format: ArchiveFormat) async throws {
        try await archive(try ErasureSample.records(), format)
        let manifest = try #require(directory.files().first { $0.hasSuffix(".manifest.json") })
        try Directory.replace("\(directory.path)/\(manifest)", with: Array("?".utf8))
        let sample = try SQLiteSample()
        let found = try await restore(.sqlite(SQLiteDirectory(sample.path)))
        #expect(found.files == 3 && found.left == [manifest])
    }

    @Test func aFileThatHasLessThanItsManifestSaysIsDamaged() async throws {
        let archive = try ArchiveSample("format: otlp_json", "compression: none", in: directory)
        let records = [UInt64(1), 2].map { SampleBatch.record([($0, SampleBatch.fourOClock)], sequence: $0) }
        try await archive.export(FrozenBatch(records: records))
        await archive.exporter.finish()
        let path = "\(directory.path)/\(try #require(directory.files().first { $0.hasSuffix(".jsonl") }))"
        let lines = try FileReader.contents(of: path, limit: 1 << 20)
        try Directory.replace(path, with: Array(lines.prefix { $0 != 0x0A }) + [0x0A])
        let tables = HotTables.sqlite(SQLiteDirectory(try SQLiteSample().path))
        await #expect(throws: FileError.damaged(path)) { try await restore(tables) }
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func whatWasLateOrHadAWrongClockComesBackToItsDay(format: ArchiveFormat) async throws {
        let start = SampleBatch.fourOClock
        let records = [
            SampleBatch.record(
                [(1, start), (2, start - 9 * hour), (3, 5), (4, start - 10 * hour), (5, .max - 5)], sequence: 1,
                received: start),
            SampleBatch.record([(6, start - 9 * hour), (7, start)], sequence: 2, received: start),
        ]
        let sample = try SQLiteSample()
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        try await sample.export(records)
        try await archive(records, format, together: true)
        let days = try SQLiteDirectory(sample.path).days()
        let rows = try sample.lines(Self.rows)
        // Of the day on which they came.
        #expect(days.count == 4 && rows.count == 2)
        #expect(try await restore(tables).present == 7)
        await sample.exporter.finish()
        for day in days { try SQLiteDirectory(sample.path).remove(day) }
        #expect(try await restore(tables).spans == 7)
        #expect(try sample.lines(Self.rows) == rows)
        #expect(try SQLiteDirectory(sample.path).days() == days)
        #expect(try await restore(tables).present == 7)
    }

    @Test(arguments: ArchiveFormat.allCases)
    func onlyTheHoursThatAreAskedForComeBackOfAMergedDay(format: ArchiveFormat) async throws {
        let start = SampleBatch.fourOClock
        try await archive(
            [
                SampleBatch.record([(1, start), (2, start + hour)], sequence: 1),
                SampleBatch.record([(3, start + 2 * hour)], sequence: 2),
                // It stands in the first hour of the day.
                SampleBatch.record([(4, start + hour + 1)], sequence: 3, received: start + 10 * hour),
                SampleBatch.record([(5, start)], sequence: 4, received: start + 10 * hour),
            ], format)
        let selection = ArchiveCatalog.Selection(
            tenant: "default", from: Timestamp(nanoseconds: start + hour), to: Timestamp(nanoseconds: start + 2 * hour))
        for isMerged in [false, true] {
            if isMerged {
                let later = Timestamp(nanoseconds: start + 2 * Day.nanoseconds)
                let rules = CompactionRules(after: .zero, target: 1 << 20)
                #expect(try ArchiveContents.compact(directory.path, rules, nil, at: later).made == 1)
            }
            let sample = try SQLiteSample()
            _ = try await restore(.sqlite(SQLiteDirectory(sample.path)), selection)
            #expect(try sample.spanIDs() == ["2", "4"])
        }
        let early = ArchiveCatalog.Selection(to: Timestamp(nanoseconds: start - 5 * hour))
        var found = 0
        try ArchiveCatalog(root: directory.path, selection: early).visit { _ in found += 1 }
        #expect(found == 0)
    }

    @Test func rowsBringBackWhatTheyHave() async throws {
        let start = SampleBatch.fourOClock
        let values =
            #"[{"key":"i","value":{"intValue":"-9223372036854775808"}},{"key":"d","value":{"doubleValue":1}},"#
            + #"{"key":"e","value":{"doubleValue":1e300}},{"key":"t","value":{"stringValue":"\"\\ü\n{}"}},"#
            + #"{"key":"b","value":{"boolValue":true}},{"key":"n","value":{}},"#
            + #"{"key":"l","value":{"arrayValue":{"values":[{"intValue":1},{"doubleValue":1},{"arrayValue":{}}]}}},"#
            + #"{"key":"m","value":{"kvlistValue":{"values":[{"key":"","value":{"stringValue":""}}]}}},"#
            + #"{"key":"raw","value":{"bytesValue":"AQID"}},{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},"#
            + #"{"key":"gen_ai.request.model","value":{"stringValue":"m"}},"#
            + #"{"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}}]"#
        func span(_ id: Int, _ more: String) -> String {
            #"{"traceId":"\#(String(repeating: "a", count: 32))","spanId":"\#(id.digits(16))","#
                + #""startTimeUnixNano":"START","name":"span \#(id)","attributes":\#(values)\#(more)}"#
        }
        let full =
            #","parentSpanId":"00000000000000ff","endTimeUnixNano":"\#(start + 5)","kind":3,"flags":257,"#
            + #""traceState":"a=b","status":{"code":2,"message":"no"},"events":[{"timeUnixNano":"18446744073709551615","#
            + #""name":"e","attributes":\#(values),"droppedAttributesCount":3},{"name":""}],"#
            + #""links":[{"traceId":"\#(String(repeating: "b", count: 32))","spanId":"00000000000000fe","flags":1,"#
            + #""traceState":"c=d","attributes":\#(values)}]"#
        let record = try SampleBatch.record(
            json: #"{"resourceSpans":[{"resource":{"attributes":\#(values)},"scopeSpans":["#
                + #"{"scope":{"name":"s","version":"1"},"spans":[\#(span(1, full)),\#(span(2, ""))]},"#
                + #"{"spans":[\#(span(3, #","endTimeUnixNano":"1""#))]}]}]}"#, sequence: 1)
        let other = SampleBatch.record([(4, start), (5, start - 40 * 24 * hour), (6, start)], sequence: 2)
        try await archive([record, other], .parquet, together: true)
        let sample = try SQLiteSample()
        let tables = HotTables.sqlite(SQLiteDirectory(sample.path))
        try await sample.export([record, other])
        let days = try SQLiteDirectory(sample.path).days()
        let wanted = try Self.everything.map { try sample.lines($0) }
        #expect(wanted[0].count == 5 && wanted[1].count == 3)
        await sample.exporter.finish()
        for day in days { try SQLiteDirectory(sample.path).remove(day) }
        #expect(try await restore(tables).spans == 6)
        #expect(try Self.everything.map { try sample.lines($0) } == wanted)
        // Also the span whose clock was forty days behind is on the day on which it was.
        #expect(try SQLiteDirectory(sample.path).days() == days && days.count == 2)
        #expect(try await restore(tables).present == 6)
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
    /// But for what a row's neighbours give it.
    private static let everything = [
        "SELECT \(SpanRow.columns.filter { $0 != "place" && $0 != "tenant_id" }.joined(separator: ", ")) FROM spans "
            + "ORDER BY span_id",
        "SELECT span_id, model, input_tokens FROM llm_usage ORDER BY 1",
        "SELECT name, version, attributes FROM scopes ORDER BY 1, 2",
        "SELECT attributes FROM resources ORDER BY 1",
    ]
    private static let rollups = "SELECT minute, name, sum(spans) FROM span_rollups GROUP BY 1, 2 ORDER BY 1, 2"

    private func outcome(files: Int, spans: Int, present: Int) -> ArchiveRestore.Outcome {
        ArchiveRestore.Outcome(files: files, spans: spans, present: present)
    }

    private func restore(
        _ tables: HotTables, _ selection: ArchiveCatalog.Selection = ArchiveCatalog.Selection(tenant: "default"),
        cursors: [JournalID: Cursor] = [:]
    ) async throws -> ArchiveRestore.Outcome {
        let catalog = ArchiveCatalog(root: directory.path, selection: selection)
        let register = try ErasureRegister("\(directory.path)/erasures")
        return try await ArchiveRestore(
            catalog, tenant: "default", into: tables, register, cursors: cursors
        ).run(at: now)
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
