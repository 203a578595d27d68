import Foundation
import Testing

@testable import Weir

/// When hot tables give up a day whose time is over.
@Suite(.hangLimit) struct ArchiveGateTests {
    private let directory: TemporaryDirectory
    private let start = SampleBatch.fourOClock
    private let day = Day(Timestamp(nanoseconds: SampleBatch.fourOClock))
    private let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 40 * Day.nanoseconds)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet]) func aDayGoesThatTheArchiveHas(format: ArchiveFormat) async throws
    {
        let records = try ErasureSample.records()
        try await store(records)
        try await archive(records, format)
        #expect(try agreement(format)?.verdict(on: day, isVerified: true) == .agrees)
        let (gate, log, metrics) = gate(try agreement(format))
        #expect(await gate.mayDrop(day, at: later))
        #expect(log.lines == [] && kept(metrics, "archive_lacks") == 0)
    }

    @Test func thoseOfTwoPipelinesAreCountedApart() async {
        let metrics = MetricRegistry()
        for (name, isHeld) in [("a", true), ("b", false)] {
            let context = Context(
                id: ComponentID(type: "sqlite"), pipeline: ComponentID(type: "traces", name: name),
                logger: LogCapture().logger, metrics: metrics)
            let gate = ArchiveGate(nil, context) { _ in isHeld }
            #expect(await gate.mayDrop(day, at: later) != isHeld)
        }
        for line in [#"pipeline="traces/a",reason="held"} 1"#, #"pipeline="traces/b",reason="held"} 0"#] {
            #expect(metrics.render().contains(#"weir_store_days_kept{exporter="sqlite","# + line))
        }
    }

    @Test func aDayStaysUntilTheArchiveHasAllOfIt() async throws {
        let records = try ErasureSample.records()
        try await store(records)
        try await archive(Array(records.dropLast()))
        let (gate, log, metrics) = gate(try agreement())
        #expect(await !gate.mayDrop(day, at: later))
        #expect(await !gate.mayDrop(day, at: later))
        #expect(kept(metrics, "archive_lacks") == 1)
        #expect(
            log.lines == [
                "warning: a day is kept whose time is over, since its archive does not agree day=2026-02-03"
                    + " detail=archive has 5 of 7 spans reason=archive_lacks"
            ])
        try await archive(Array(records.suffix(1)))
        // It is not read again every second.
        #expect(await !gate.mayDrop(day, at: later))
        #expect(await gate.mayDrop(day, at: Timestamp(nanoseconds: later.nanoseconds + SampleBatch.hour)))
        #expect(kept(metrics, "archive_lacks") == 0)
    }

    @Test func aDayStaysWhoseArchiveIsDamaged() async throws {
        try await store(try ErasureSample.records())
        try await archive(try ErasureSample.records())
        let file = try #require(directory.files().first { $0.hasPrefix("archive/tenant") && $0.contains(".otlp") })
        var bytes = try directory.contents(of: file)
        bytes[20] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: "\(directory.path)/\(file)"))
        let path = String(file.dropFirst("archive/".count))
        #expect(try agreement()?.verdict(on: day, isVerified: true) == .damaged(path: path))
        // Who only looks at sizes does not see it.
        #expect(try agreement()?.verdict(on: day, isVerified: false) == .agrees)
        let (gate, _, metrics) = gate(try agreement())
        #expect(await !gate.mayDrop(day, at: later))
        #expect(kept(metrics, "archive_damaged") == 1)
    }

    @Test func aHeldDayStays() async throws {
        let (gate, _, metrics) = gate(nil, isHeld: true)
        #expect(await !gate.mayDrop(day, at: later))
        #expect(kept(metrics, "held") == 1)
    }

    @Test func spansOfWrongClocksAndOfManyHoursKeepNoDay() async throws {
        let hour = SampleBatch.hour
        let scattered = SampleBatch.record(
            (0..<70 as Range<UInt64>).map { (id: $0 + 1, start: start - $0 * hour) }, sequence: 1)
        let old = SampleBatch.record([(id: 100, start: 1), (id: 101, start: start)], sequence: 2)
        try await store([scattered, old])
        try await archive([scattered, old])
        try await archive([scattered, old], .parquet)
        for format in [ArchiveFormat.proto, .parquet] {
            for day in try SQLiteDirectory("\(directory.path)/hot").days() {
                #expect(try agreement(format)?.verdict(on: day, isVerified: true) == .agrees, "\(format) \(day.text)")
            }
        }
        try await store([SampleBatch.record([(200, start - 69 * hour)], sequence: 3)])
        let verdict = try agreement()?.verdict(on: Day(Timestamp(nanoseconds: start - 69 * hour)), isVerified: true)
        #expect(verdict?.reason == "archive_lacks")
    }

    @Test func aMergedAndErasedDayAgrees() async throws {
        try await store(try ErasureSample.records())
        try await archive(try ErasureSample.records())
        let root = "\(directory.path)/archive"
        let merged = try ArchiveCompaction(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()),
            CompactionRules(after: .zero, target: 1 << 20), nil
        ).run(at: later)
        #expect(merged.merged == 4)
        #expect(try agreement()?.verdict(on: day, isVerified: true) == .agrees)
        let erasure = try #require(try ArchiveErasure(root))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: later)
        #expect(try agreement()?.verdict(on: day, isVerified: true).reason == "archive_lacks")
        let tables = HotTables.sqlite(SQLiteDirectory("\(directory.path)/hot"))
        _ = try tables.erase(ErasureSample.matcher(), ErasureSample.traces, rewrites: false, at: later)
        #expect(try agreement()?.verdict(on: day, isVerified: true) == .agrees)
    }

    /// A hold on one tenant keeps the day of all, and may last for longer than the archive keeps the others' files.
    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func whatTheArchiveHadUntilItsTimeWasOverIsNotLacking(format: ArchiveFormat) async throws {
        let records = ["bank", "guest", "guest"].enumerated().map { index, tenant in
            SampleBatch.record([(UInt64(index + 1), start)], tenant: tenant, sequence: UInt64(index + 1))
        }
        try await store(records)
        try await archive(Array(records.dropLast()), format)
        let root = "\(directory.path)/\(format == .parquet ? "rows" : "archive")"
        let end = Timestamp(nanoseconds: start + 900 * Day.nanoseconds)
        try ExpiryClock(in: root).note(Day(end))
        let expired = try ArchiveExpiry(
            ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection(tenant: "guest")),
            try #require(read(ArchiveConfiguration.self, "directory: d")).lifecycle,
            try ErasureRegister("\(directory.path)/erasures"), colder: []
        ).run(at: end)
        #expect(expired.expired == 1 && expired.spans == 1)
        #expect(
            try agreement(format)?.verdict(on: day, isVerified: true)
                == .lacks(archive: "archive", found: 0, wanted: 2))
        try await archive(Array(records.suffix(1)), format)
        #expect(try agreement(format)?.verdict(on: day, isVerified: true) == .agrees)
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet])
    func aDayGoesThatTheArchiveHasHalfInTheFormatThatItHadBefore(format: ArchiveFormat) async throws {
        let records = try ErasureSample.records()
        try await store(records)
        try await archive(Array(records.prefix(2)), .parquet, in: "archive")
        try await archive(Array(records.dropFirst(2)), .proto, in: "archive")
        #expect(try agreement(format, in: "archive")?.verdict(on: day, isVerified: true) == .agrees)
    }

    @Test func whatTheArchiveHasInBothFormatsCountsOnce() async throws {
        let records = try ErasureSample.records()
        try await store(records)
        let root = "\(directory.path)/archive"
        for format in [ArchiveFormat.proto, .parquet] {
            try await archive(Array(records.prefix(2)), format, in: "archive")
        }
        let lacks = ArchiveAgreement.Verdict.lacks(archive: "archive", found: 4, wanted: 7)
        #expect(try agreement()?.verdict(on: day, isVerified: true) == lacks)
        // Nor where the rows were left to OTLP.
        try ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()).visit { found in
            guard let (manifest, _, bytes) = found.published, manifest.format == .parquet else { return }
            try ArchiveRemovals.append(manifest, ArchiveManifest.hash(bytes), .transition, at: later, in: root)
        }
        try FileManager.default.removeItem(atPath: "\(root)/spans")
        #expect(try agreement()?.verdict(on: day, isVerified: true) == lacks)
        try await archive(Array(records.dropFirst(2)), in: "archive")
        #expect(try agreement()?.verdict(on: day, isVerified: true) == .agrees)
    }

    @Test func nothingIsWaitedForWhereThereIsNoArchiveOrNobodyIsToWait() throws {
        #expect(try agreement(exporters: "[sqlite]") == nil)
        #expect(try agreement(sqlite: ", wait_for_archive: false") == nil)
        #expect(try agreement(exporter: "archive") == nil)
    }

    @Test func statusSaysWhatIsKept() async throws {
        try await store(try ErasureSample.records())
        var status = StoreStatus(try SQLiteStatus.read(directory: "\(directory.path)/hot"), at: later)
        status.note([day: "archive has 5 of 7 spans"])
        #expect(status.text.contains("KEPT\n2026-02-03      7") && status.text.contains("  archive has 5 of 7 spans\n"))
        #expect(status.json.contains(#""kept":"archive has 5 of 7 spans""#))
    }

    @Test func theExporterAsksIt() async throws {
        let records = try ErasureSample.records()
        let (gate, _, _) = gate(try agreement())
        let clock = TestClock()
        let sample = try SQLiteSample("retention: 20d", in: directory, clock: clock) {
            await gate.mayDrop($0, at: clock.now)
        }
        try await sample.export(records)
        clock.advance(seconds: 30 * 86_400)
        await sample.exporter.tick(at: clock.now)
        #expect(try SQLiteDirectory(sample.path).days() == [day])
        try await archive(records)
        clock.advance(seconds: 3_600)
        await sample.exporter.tick(at: clock.now)
        #expect(try SQLiteDirectory(sample.path).days() == [])
    }

    @Test func whoAsksAgainIsToldWithinTheHour() async throws {
        let records = try ErasureSample.records()
        try await store(records)
        try await archive(Array(records.dropLast()))
        let clock = TestClock(later.nanoseconds)
        let (gate, _, metrics) = gate(try agreement(), clock: clock)
        #expect(await answer(of: gate) == false)
        #expect(kept(metrics, "archive_lacks") == 1)
        try await archive(Array(records.suffix(1)))
        clock.advance(seconds: 3_600)
        #expect(await answer(of: gate) == true)
        // What was found is told once, and not when it is old.
        #expect(await gate.mayDropNow(day) == nil)
        clock.advance(seconds: 3_605)
        #expect(await answer(of: gate) == true)
    }

    @Test func rowsOfATenantGoSoonAfterTheFirstLook() async throws {
        let records = [("bank", 1), ("guest", 2)].map { tenant, sequence in
            SampleBatch.record([(UInt64(sequence), start)], tenant: tenant, sequence: UInt64(sequence))
        }
        try await archive(records)
        let (clock, hasLooked) = (TestClock(), Flag())
        let (gate, _, _) = gate(try agreement(), clock: clock)
        let sample = try SQLiteSample(
            "retention: 30d", "retention_classes: { short: { tenants: [guest], retention: 1d } }", in: directory,
            clock: clock
        ) { [self] day in
            if hasLooked.isSet { return await answer(of: gate) }
            hasLooked.set(true)
            return await gate.mayDropNow(day)
        }
        try await sample.export(records)
        clock.advance(seconds: 3 * 86_400)
        await sample.exporter.tick(at: clock.now)
        // It only begins to read the archive.
        #expect(try sample.spanIDs() == ["1", "2"])
        clock.advance(seconds: 10)
        await sample.exporter.tick(at: clock.now)
        #expect(try sample.spanIDs() == ["1"])
    }

    @Test func postgresCountsByJournalAndTenant() async throws {
        let sample = try PostgresSample()
        try await sample.export(SampleBatch.record([(1, start), (2, start)], tenant: "shop", sequence: 1))
        try await sample.export(SampleBatch.record([(3, start), (4, 1)], tenant: "bank", sequence: 2))
        let tables = HotTables.postgres(connection: sample.schema.connection, schema: sample.schema.name)
        let counts = try tables.spans(on: day)
        #expect(counts.map { "\($0.key.tenant) \($0.value)" }.sorted() == ["bank 1", "shop 2"])
    }

    // MARK: -

    private func agreement(
        _ format: ArchiveFormat = .proto, exporters: String = "[sqlite, archive]", sqlite: String = "",
        exporter: String = "sqlite", in place: String? = nil
    ) throws -> ArchiveAgreement? {
        let archive = place ?? (format == .parquet ? "rows" : "archive")
        let yaml = """
            receivers: { otlp: {} }
            exporters:
              sqlite: { directory: \(directory.path)/hot\(sqlite) }
              archive: { directory: \(directory.path)/\(archive), format: \(format.rawValue) }
            service:
              journal: { directory: \(directory.path)/journal }
              pipelines: { traces: { receivers: [otlp], exporters: \(exporters) } }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        let configuration = try #require(checked.configuration, "\(checked.diagnostics.lines)")
        return ArchiveAgreement(configuration, exporter: ComponentID(type: exporter))
    }

    /// What it says in the end to one who cannot wait.
    private func answer(of gate: ArchiveGate) async -> Bool {
        while true {
            if let answer = await gate.mayDropNow(day) { return answer }
            await Task.yield()
        }
    }

    private func gate(
        _ agreement: ArchiveAgreement?, isHeld: Bool = false, clock: TestClock = TestClock()
    ) -> (ArchiveGate, LogCapture, MetricRegistry) {
        let log = LogCapture()
        let metrics = MetricRegistry()
        let context = Context(id: ComponentID(type: "sqlite"), logger: log.logger, metrics: metrics)
        return (ArchiveGate(agreement, context, clock: { clock.now }) { _ in isHeld }, log, metrics)
    }

    private func kept(_ metrics: MetricRegistry, _ reason: String) -> Int? {
        let name = #"weir_store_days_kept{exporter="sqlite",reason="\#(reason)"} "#
        let line = metrics.render().split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.dropFirst(name.count)) }
    }

    private func store(_ records: [JournalRecord]) async throws {
        let sample = try SQLiteSample(in: directory)
        try await sample.export(records)
        await sample.exporter.finish()
    }

    /// A file for each.
    private func archive(
        _ records: [JournalRecord], _ format: ArchiveFormat = .proto, in place: String? = nil
    ) async throws {
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", in: directory,
            path: "\(directory.path)/\(place ?? (format == .parquet ? "rows" : "archive"))")
        for record in records {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
    }
}
