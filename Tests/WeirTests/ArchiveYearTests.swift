import Foundation
import Testing

@testable import Weir

/// A year of days, a quarter of it without torture, with late spans, erasures, holds, restores and restarts, in which every
/// day the tables and both archives have what the generator made, no more and no less.
@Suite(.hangLimit) struct ArchiveYearTests {
    @Test func aYearGoesByAndTheCountsAreAlwaysTheGenerators() async throws {
        let seed = UInt64.random(in: 0 ... .max / 2)
        do {
            try await ArchiveYear(seed: seed).run()
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}

/// An installation with tables, rows and OTLP, a clock for all of them, and chance.
private final class ArchiveYear {
    private struct Made {
        let id: UInt64
        let tenant: String
        let user: String
        let startDay: Int
        let publishedDay: Int
        var isErased = false
    }

    private static let tenants = ["bank", "shop"]
    /// A short year has to see the ends of all of them.
    private static let (days, retention, warm, cold, audited) =
        Torture.isOn ? (365, 20, 60, 150, 250) : (90, 10, 20, 40, 60)
    private static let lifecycle =
        "lifecycle: { warm: \(warm)d, cold: \(cold)d, classes: { audit: { tenants: [bank], cold: \(audited)d } } }"
    /// Spans come as late as that.
    private static let lateness = 4

    private let seed: UInt64
    private var random: SplitMix64
    private let directory: TemporaryDirectory
    private let clock = TestClock()
    private let firstDay = Day(Timestamp(nanoseconds: SampleBatch.fourOClock)).number
    private var spans: [Made] = []
    private var sequence: UInt64 = 0
    private var sqlite: SQLiteSample
    private var otlp: ArchiveSample
    private var rows: ArchiveSample
    /// The tenant under a hold, and until which day.
    private var hold: (tenant: String, id: String, until: Int)?
    /// Days that are restored, and until when.
    private var restored: [(tenant: String, day: Int, until: Int)] = []
    private var dropped: Set<Int> = []
    /// Tenants and users.
    private var erased: Set<String> = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        directory = try TemporaryDirectory(in: "/dev/shm")
        (sqlite, otlp, rows) = try Self.start(directory, clock)
        _ = try register()
    }

    private static func start(
        _ directory: TemporaryDirectory, _ clock: TestClock
    ) throws -> (SQLiteSample, ArchiveSample, ArchiveSample) {
        let yaml = """
            receivers: { otlp: {} }
            exporters:
              sqlite: { directory: \(directory.path)/hot, retention: \(retention)d }
              archive: { directory: \(directory.path)/otlp, format: otlp_proto }
              archive/rows: { directory: \(directory.path)/rows, format: parquet }
            service:
              journal: { directory: \(directory.path)/journal }
              pipelines: { traces: { receivers: [otlp], exporters: [sqlite, archive, archive/rows] } }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        let configuration = try #require(checked.configuration, "\(checked.diagnostics.lines)")
        let context = Context(
            id: ComponentID(type: "sqlite"), logger: LogCapture().logger, metrics: MetricRegistry())
        let path = directory.path
        let gate = ArchiveGate(ArchiveAgreement(configuration, exporter: context.id), context) { day in
            let register = try? ErasureRegister("\(path)/erasures")
            return register?.keepers.contains { $0.keeps(day, at: clock.now) } ?? true
        }
        let sqlite = try SQLiteSample("retention: \(retention)d", in: directory, clock: clock) {
            await gate.mayDrop($0, at: clock.now)
        }
        return (
            sqlite,
            try ArchiveSample("format: otlp_proto", lifecycle, in: directory, path: "\(path)/otlp", clock: clock),
            try ArchiveSample("format: parquet", lifecycle, in: directory, path: "\(path)/rows", clock: clock)
        )
    }

    private var today: Int { Day(clock.now).number - firstDay }

    private func register() throws -> ErasureRegister { try ErasureRegister("\(directory.path)/erasures") }

    func run() async throws {
        for day in 0..<Self.days {
            try await makeSpans()
            try await holdOrRelease()
            if random.chance(4) { try await erase() }
            if random.chance(4), day > Self.retention + 5 { try await restore() }
            try await keepUp()
            if random.chance(3) { try await restart() }
            if day % 15 == 14 || day == Self.days - 1 { try check() }
            clock.advance(seconds: 86_400)
        }
        #expect(dropped.count > Self.days / 2, "seed \(seed)")
    }

    // MARK: What happens

    private func makeSpans() async throws {
        for _ in 0..<1 + random.below(3) {
            sequence += 1
            let tenant = random.pick(Self.tenants)
            let user = "u\(random.below(12))"
            let late = random.chance(20) ? random.below(Self.lateness + 1) : 0
            let start = clock.now.nanoseconds - UInt64(late) * Day.nanoseconds
            let count = 1 + random.below(3)
            var members: [String] = []
            for _ in 0..<count {
                let id = UInt64(spans.count + 1)
                let offset = UInt64(random.below(3)) * SampleBatch.hour
                spans.append(
                    Made(
                        id: id, tenant: tenant, user: user,
                        startDay: Day(Timestamp(nanoseconds: start + offset)).number - firstDay, publishedDay: today))
                members.append(
                    #"{"traceId":"\#((id | 1 << 60).digits(32, radix: 16))","spanId":"\#(id.digits(16, radix: 16))","#
                        + #""name":"work","startTimeUnixNano":"\#(start + offset)","endTimeUnixNano":"\#(start + offset)","#
                        + #""attributes":[{"key":"user.id","value":{"stringValue":"\#(user)"}}]}"#)
            }
            let record = try SampleBatch.record(
                json: #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(members.joined(separator: ","))]}]}]}"#,
                tenant: tenant, sequence: sequence)
            // As it would have come.
            let received = JournalRecord(
                sequence: record.sequence, tenant: record.tenant, receivedAt: clock.now, spanCount: record.spanCount,
                payload: record.payload)
            let batch = FrozenBatch(records: [try filtered(received)])
            try await sqlite.exporter.export(batch)
            try await otlp.exporter.export(batch)
            try await rows.exporter.export(batch)
        }
        await otlp.exporter.settle()
        await rows.exporter.settle()
    }

    /// As tombstones do in front of every exporter.
    private func filtered(_ record: JournalRecord) throws -> JournalRecord {
        let register = try register()
        var record = record
        var filter = RecordErasure()
        for group in try register.subjects(of: register.requests).groups[record.tenant] ?? [] {
            var traces: Set<TraceID> = []
            if let left = try filter.erase(record, SubjectMatcher(group), &traces) { record = left }
        }
        for index in spans.indices where erased.contains("\(spans[index].tenant)/\(spans[index].user)") {
            spans[index].isErased = true
        }
        return record
    }

    private func erase() async throws {
        let tenant = random.pick(Self.tenants)
        let user = "u\(random.below(12))"
        guard hold?.tenant != tenant, !erased.contains("\(tenant)/\(user)"), erased.count < 10 else { return }
        var register = try register()
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: tenant)
        let id = ErasureRegister.newID()
        try register.append(at: clock.now) { _ in
            var entry = ErasureEntry(.request, id: id)
            (entry.tenant, entry.attribute) = (tenant, "user.id")
            entry.names = [hash.digest(of: Array(user.utf8))]
            return entry
        }
        erased.insert("\(tenant)/\(user)")
        for index in spans.indices where spans[index].tenant == tenant && spans[index].user == user {
            spans[index].isErased = true
        }
        let request = try #require(register.requests.first { $0.id == id })
        let group = try #require(try register.subjects(of: [request]).all.first)
        let matcher = SubjectMatcher(group)
        let tables = HotTables.sqlite(SQLiteDirectory(sqlite.path))
        var traces = try tables.traces(of: matcher, at: clock.now)
        for archive in ["otlp", "rows"] {
            let erasure = try #require(try ArchiveErasure("\(directory.path)/\(archive)"))
            traces.formUnion(try erasure.traces(of: matcher))
            _ = try erasure.erase(matcher, traces: traces, at: clock.now)
        }
        _ = try tables.erase(matcher, traces, rewrites: false, at: clock.now)
    }

    private func holdOrRelease() async throws {
        var register = try register()
        if let hold, hold.until <= today {
            try register.append(at: clock.now) { _ in ErasureEntry(.release, id: hold.id) }
            self.hold = nil
        }
        guard hold == nil, random.chance(3) else { return }
        let hold = (
            tenant: random.pick(Self.tenants), id: ErasureRegister.newID(), until: today + 10 + random.below(Self.warm)
        )
        try register.append(at: clock.now) { _ in
            var entry = ErasureEntry(.hold, id: hold.id)
            (entry.tenant, entry.reason) = (hold.tenant, "case")
            return entry
        }
        self.hold = hold
    }

    private func restore() async throws {
        let tenant = random.pick(Self.tenants)
        let day = today - Self.retention - 2 - random.below(20)
        guard day >= 0 else { return }
        var register = try register()
        let wanted = Day(number: day + firstDay)
        let until = Timestamp(nanoseconds: clock.now.nanoseconds + 7 * Day.nanoseconds)
        try register.append(at: clock.now) { _ in
            var entry = ErasureEntry(.restore, id: ErasureRegister.newID())
            (entry.tenant, entry.from, entry.through, entry.until) = (tenant, wanted, wanted, until)
            return entry
        }
        let catalog = ArchiveCatalog(
            root: "\(directory.path)/otlp",
            selection: ArchiveCatalog.Selection(tenant: tenant, from: wanted.start, to: (wanted + 1).start))
        let tables = HotTables.sqlite(SQLiteDirectory(sqlite.path))
        let outcome = try await ArchiveRestore(catalog, tenant: tenant, into: tables, register).run(at: clock.now)
        #expect(outcome.left == [], "seed \(seed)")
        restored.append((tenant, day, today + 7))
    }

    /// What an hour of a running Weir does.
    private func keepUp() async throws {
        let configuration = try #require(read(ArchiveConfiguration.self, "directory: d\n\(Self.lifecycle)"))
        let rules = CompactionRules(after: .seconds(6 * 3_600), target: 1 << 20)
        for archive in ["otlp", "rows"] {
            let root = "\(directory.path)/\(archive)"
            let outcome = try ArchiveContents.compact(root, rules, register(), configuration.lifecycle, at: clock.now)
            #expect(outcome.damaged == [], "seed \(seed)")
            let expired = try ArchiveExpiry(
                ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection()), configuration.lifecycle, register(),
                colder: archive == "rows" ? ["\(directory.path)/otlp"] : []
            ).run(at: clock.now)
            #expect(expired.lacking == [], "seed \(seed)")
        }
        await sqlite.exporter.tick(at: clock.now)
    }

    private func restart() async throws {
        await sqlite.exporter.finish()
        await otlp.exporter.finish()
        await rows.exporter.finish()
        (sqlite, otlp, rows) = try Self.start(directory, clock)
    }

    // MARK: What has to be

    private func check() throws {
        for (archive, format) in [("otlp", ArchiveFormat.proto), ("rows", .parquet)] {
            #expect(try ArchiveContents.problems("\(directory.path)/\(archive)") == [], "seed \(seed), day \(today)")
            let found = try ArchiveContents.manifestSpans(at: "\(directory.path)/\(archive)", format)
            let ids = Set(found)
            #expect(ids.count == found.count, "seed \(seed), day \(today), \(archive): a span is there twice")
            for span in spans {
                guard !span.isErased else {
                    #expect(!ids.contains(span.id), "seed \(seed), day \(today), \(archive): \(span) was erased")
                    continue
                }
                let kept = archive == "rows" ? Self.warm : span.tenant == "bank" ? Self.audited : Self.cold
                let age = today - span.publishedDay
                if age <= kept {
                    #expect(ids.contains(span.id), "seed \(seed), day \(today), \(archive): \(span) is missing")
                } else if age > kept + 1 + Self.lateness, hold?.tenant != span.tenant {
                    #expect(!ids.contains(span.id), "seed \(seed), day \(today), \(archive): \(span) is still there")
                }
            }
        }
        try checkTables()
    }

    /// A day that is there has all of its spans, or those of the tenants that were restored.
    private func checkTables() throws {
        let days = try SQLiteDirectory(sqlite.path).days().map { $0.number - firstDay }
        for day in 0...today {
            let over = today - day - 1 >= Self.retention
            let isRestored = restored.contains { $0.day == day && $0.until > today }
            if over, !isRestored, hold == nil {
                #expect(!days.contains(day), "seed \(seed), day \(today): \(day) stays")
            }
            if !days.contains(day) { dropped.insert(day) }
            guard !over || (hold == nil && isRestored && dropped.contains(day)) else { continue }
            let tenants = over ? restored.filter { $0.day == day && $0.until > today }.map(\.tenant) : Self.tenants
            let wanted = spans.filter { $0.startDay == day && !$0.isErased && tenants.contains($0.tenant) }.map(\.id)
            guard !wanted.isEmpty || days.contains(day) else { continue }
            let name = Day(number: day + firstDay).compact
            let found = try sqlite.lines("SELECT span_id FROM spans ORDER BY span_id", day: name).compactMap {
                UInt64($0)
            }
            #expect(over ? Set(wanted).isSubset(of: found) : found == wanted, "seed \(seed), day \(today): \(day)")
        }
    }
}
