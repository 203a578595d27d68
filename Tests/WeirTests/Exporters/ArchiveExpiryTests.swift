import Foundation
import Testing

@testable import Weir

/// How files of the archive end.
@Suite struct ArchiveExpiryTests {
    private let directory: TemporaryDirectory
    private let start = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let keys = "lifecycle: { warm: 10d, cold: 20d, classes: { audit: { tenants: [bank], cold: 100d } } }"

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func filesGoOnTheDayThatTheirManifestsSay() async throws {
        try await fill(.proto, ["shop"])
        let dates = try #require(try manifests("otlp").first?.dates)
        #expect(dates == ArchiveDates(retentionClass: "default", transition: day(11), expires: day(21)))
        #expect(try expire(.proto, after: 20) == ArchiveExpiry.Outcome())
        let outcome = try expire(.proto, after: 21)
        #expect(outcome.expired == 1 && outcome.spans == 2)
        #expect(try manifests("otlp") == [])
        #expect(directory.files().filter { $0.contains("tenant=") } == [])
        #expect(try problems("otlp") == [])
    }

    @Test func aClassHasTimesOfItsOwn() async throws {
        try await fill(.proto, ["shop", "bank"])
        #expect(try manifests("otlp").compactMap(\.dates?.retentionClass).sorted() == ["audit", "default"])
        #expect(try expire(.proto, after: 21).expired == 1)
        #expect(try manifests("otlp").map(\.tenant) == ["bank"])
        #expect(try problems("otlp") == [])
        #expect(try expire(.proto, after: 101).expired == 1)
    }

    @Test func whatIsMissingInTheChainIsStillMissed() async throws {
        try await fill(.proto, ["shop", "bank", "shop"])
        #expect(try expire(.proto, after: 21).expired == 2)
        #expect(try problems("otlp") == [])
        let removed = try ArchiveRemovals(in: "\(directory.path)/otlp")
        let journal = try #require(try manifests("otlp").first?.journal)
        #expect(removed.missing(in: 1...1, of: journal) == [] && removed.missing(in: 3...3, of: journal) == [])
        #expect(removed.missing(in: 0...5, of: journal) == [0...0, 2...2, 4...5])
        #expect(removed.missing(in: 1...1, of: "another") == [1...1])
        // Without the line, somebody took it away.
        try FileManager.default.removeItem(atPath: "\(directory.path)/otlp/.chain/removed.jsonl")
        #expect(try problems("otlp").count == 1)
    }

    @Test func whatWentOfManyTenantsIsOneRun() async throws {
        try await fill(.proto, ["shop", "bank", "shop"])
        let (root, all) = ("\(directory.path)/otlp", try manifests("otlp"))
        for manifest in all {
            try ArchiveRemovals.append(manifest, ArchiveManifest.hash(manifest.bytes), .expired, at: start, in: root)
        }
        #expect(try ArchiveRemovals(in: root).numbers.values.map(\.self) == [[1...3]])
    }

    @Test func whatWentIsCountedOnce() async throws {
        try await fill(.proto, ["shop", "bank", "shop"])
        let (root, all) = ("\(directory.path)/otlp", try manifests("otlp"))
        #expect(try expire(.proto, after: 21).expired == 2)
        let origin = SpanOrigin(journal: JournalID(value: 7), tenant: "shop")
        #expect(try ArchiveRemovals.counts(on: day(0), in: root, but: []).mapValues(\.spans) == [origin: 4])
        #expect(try ArchiveRemovals.counts(on: day(1), in: root, but: []).mapValues(\.spans) == [:])
        // A process that died may have written a line whose file is still there, and writes it again.
        let shops = try #require(all.first { $0.tenant == "shop" })
        try ArchiveRemovals.append(shops, ArchiveManifest.hash(shops.bytes), .expired, at: start, in: root)
        #expect(try ArchiveRemovals.counts(on: day(0), in: root, but: []).mapValues(\.spans) == [origin: 4])
        let present: Set = [ArchiveManifest.hash(shops.bytes)]
        #expect(try ArchiveRemovals.counts(on: day(0), in: root, but: present).mapValues(\.spans) == [origin: 2])
    }

    @Test func aHoldKeepsThem() async throws {
        try await fill(.proto, ["shop", "bank"])
        var register = try register()
        try register.append(at: start) { _ in
            var entry = ErasureEntry(.hold, id: "h")
            (entry.tenant, entry.reason) = ("shop", "case 17")
            return entry
        }
        let outcome = try expire(.proto, after: 200)
        #expect(outcome.held == 1 && outcome.expired == 1)
        #expect(try manifests("otlp").map(\.tenant) == ["shop"])
        try register.append(at: start) { _ in ErasureEntry(.release, id: "h") }
        #expect(try expire(.proto, after: 200).expired == 1)
    }

    @Test func aHoldThatAFileWasPublishedUnderKeepsItWhereTheRegisterDoesNotKnowIt() async throws {
        let other = "\(directory.path)/other"
        var theirs = try ErasureRegister(other)
        for (id, tenant) in [("h1", "shop"), ("h2", "bank")] {
            try theirs.append(at: start) { _ in
                var entry = ErasureEntry(.hold, id: id)
                (entry.tenant, entry.reason) = (tenant, "case 17")
                return entry
            }
        }
        try await fill(.proto, ["shop"], erasures: other)
        let manifest = try #require(try manifests("otlp").first)
        #expect(manifest.holds == ["h1"])
        #expect(manifest.bytes.withUnsafeBytes { $0.hasText(Array(#""legal_hold":["h1"]"#.utf8)) })
        #expect(try expire(.proto, after: 200).held == 1)
        var register = try register()
        try register.append(at: start) { _ in ErasureEntry(.release, id: "h1") }
        #expect(try expire(.proto, after: 200).expired == 1)
    }

    @Test func rowsAreLeftToAnArchiveThatHasTheirSpans() async throws {
        try await fill(.parquet, ["shop"])
        try await fill(.proto, ["shop"])
        #expect(try expire(.parquet, after: 10, colder: ["otlp"]) == ArchiveExpiry.Outcome())
        let outcome = try expire(.parquet, after: 11, colder: ["otlp"])
        #expect(outcome.transitioned == 1 && outcome.spans == 2)
        #expect(try manifests("rows") == [])
        #expect(try problems("rows") == [])
        #expect(try manifests("otlp").count == 1)
    }

    @Test func rowsStayWhereTheOtherArchiveLacksOne() async throws {
        try await fill(.parquet, ["shop", "shop"])
        try await fill(.proto, ["shop"])
        let outcome = try expire(.parquet, after: 11, colder: ["otlp"])
        #expect(outcome.transitioned == 0 && outcome.lacking == [Day(start)])
        #expect(try manifests("rows").count == 2)
        // In the end they go, whatever another archive has.
        #expect(try expire(.parquet, after: 21, colder: ["otlp"]).expired == 2)
    }

    @Test func rowsStayWhereTheOtherArchiveEndsSooner() async throws {
        try await fill(.parquet, ["shop"])
        try await fill(.proto, ["shop"], "lifecycle: { warm: 1d, cold: 12d }")
        let outcome = try expire(.parquet, after: 11, colder: ["otlp"])
        #expect(outcome.transitioned == 0 && outcome.lacking == [Day(start)])
    }

    @Test func rowsThatWerePublishedALittleLaterAreLeftNevertheless() async throws {
        try await fill(.parquet, ["shop"], days: 1)
        try await fill(.proto, ["shop"])
        #expect(try expire(.parquet, after: 12, colder: ["otlp"]).transitioned == 1)
    }

    @Test func rowsStayWhereTheOtherArchiveIsDamaged() async throws {
        try await fill(.parquet, ["shop"])
        try await fill(.proto, ["shop"])
        let path = "\(directory.path)/otlp/" + (try #require(try manifests("otlp").first?.files.first?.path))
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[20] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try expire(.parquet, after: 11, colder: ["otlp"]).lacking == [Day(start)])
    }

    @Test func rowsStayWhereThereIsNoOtherArchive() async throws {
        try await fill(.parquet, ["shop"])
        #expect(try expire(.parquet, after: 19) == ArchiveExpiry.Outcome())
        #expect(try expire(.parquet, after: 21).expired == 1)
    }

    @Test func aMergedFileIsKeptAsLongAsTheLongestOfItsParts() async throws {
        try await fill(.proto, ["shop"])
        try await fill(.proto, ["shop"], days: 3)
        let catalog = ArchiveCatalog(root: "\(directory.path)/otlp", selection: ArchiveCatalog.Selection())
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        let merged = try ArchiveCompaction(catalog, rules, nil).run(
            at: Timestamp(nanoseconds: start.nanoseconds + 5 * Day.nanoseconds))
        #expect(merged.made == 1)
        #expect(try manifests("otlp").map(\.dates?.expires) == [day(24)])
        #expect(try expire(.proto, after: 23) == ArchiveExpiry.Outcome())
        #expect(try expire(.proto, after: 24).expired == 1)
        #expect(try problems("otlp") == [])
    }

    @Test func aClockThatIsFarAheadEndsNothing() async throws {
        try await fill(.proto, ["shop"])
        var outcome = try expire(.proto, after: 4_000, isSure: false)
        #expect(outcome.believed == day(0) && outcome.expired == 0)
        // It goes on being wrong.
        try await fill(.proto, ["shop"], days: 4_000)
        outcome = try expire(.proto, after: 4_001, isSure: false)
        #expect(outcome.believed == day(0))
        #expect(try manifests("otlp").count == 2)
        #expect(try expire(.proto, after: 4_001).expired == 1)
        // It was right from then on, as somebody said.
        #expect(try ExpiryClock(in: "\(directory.path)/otlp").last() == day(4_001))
        #expect(try expire(.proto, after: 4_031, isSure: false).expired == 1)
    }

    @Test func aPauseOfAMonthIsBelieved() async throws {
        try await fill(.proto, ["shop"])
        #expect(try expire(.proto, after: 1, isSure: false) == ArchiveExpiry.Outcome())
        #expect(try ExpiryClock(in: "\(directory.path)/otlp").last() == day(1))
        #expect(try expire(.proto, after: 33, isSure: false).believed == day(1))
        #expect(try expire(.proto, after: 32, isSure: false).expired == 1)
        // One that was ahead and is no more.
        #expect(try expire(.proto, after: 2, isSure: false) == ArchiveExpiry.Outcome())
        #expect(try ExpiryClock(in: "\(directory.path)/otlp").last() == day(2))
    }

    @Test func aClockThatWasFarBehindIsForgotten() async throws {
        try await fill(.proto, ["shop"], days: 400)
        try ExpiryClock(in: "\(directory.path)/otlp").note(day(400))
        #expect(try expire(.proto, after: 3, isSure: false) == ArchiveExpiry.Outcome())
        #expect(try ExpiryClock(in: "\(directory.path)/otlp").last() == day(400))
        #expect(try expire(.proto, after: 421, isSure: false).expired == 1)
    }

    @Test func twoClassesOfOneTenantAreAMistake() {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(
            """
            directory: d
            lifecycle: { warm: 9d, cold: 8d, classes: { a: { tenants: [x] }, b: { tenants: [x] }, default: { tenants: [y] } } }
            """)
        var top = Fields([], file: "f")
        _ = top.descend(into: root, path: "") { $0.read(ArchiveConfiguration.self) }
        let problems = top.diagnostics.entries.map(\.description).joined(separator: "\n")
        #expect(problems.contains("found 8d, wanted at least warm, 9d"))
        #expect(problems.contains(#"found tenant "x" in two classes, wanted one"#))
        #expect(problems.contains("found a class default, which all others are of"))
    }

    // MARK: -

    private func day(_ number: Int) -> Day { Day(start) + number }

    /// A file of two spans for each.
    private func fill(
        _ format: ArchiveFormat, _ tenants: [String], days: UInt64 = 0, erasures: String? = nil, _ rule: String? = nil
    ) async throws {
        let path = "\(directory.path)/\(format == .parquet ? "rows" : "otlp")"
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", rule ?? keys, in: directory, path: path, erasures: erasures)
        archive.clock.advance(seconds: days * 86_400)
        for (number, tenant) in tenants.enumerated() {
            let sequence = UInt64(number) + 1 + 10 * days
            let spans = [(id: sequence * 2, start: SampleBatch.fourOClock), (sequence * 2 + 1, SampleBatch.fourOClock)]
            try await archive.exporter.export(
                FrozenBatch(
                    journal: JournalID(value: 7),
                    records: [SampleBatch.record(spans, tenant: tenant, sequence: sequence)],
                    recoveredThrough: 0))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
    }

    private func register() throws -> ErasureRegister { try ErasureRegister("\(directory.path)/erasures") }

    private func expire(
        _ format: ArchiveFormat, after days: UInt64, colder: [String] = [], isSure: Bool = true
    ) throws -> ArchiveExpiry.Outcome {
        let configuration = try #require(read(ArchiveConfiguration.self, "directory: d\n\(keys)"))
        let root = "\(directory.path)/\(format == .parquet ? "rows" : "otlp")"
        if isSure { try ExpiryClock(in: root).note(day(Int(days))) }
        let catalog = ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection())
        return try ArchiveExpiry(
            catalog, configuration.lifecycle, register(), colder: colder.map { "\(directory.path)/\($0)" }
        ).run(at: Timestamp(nanoseconds: start.nanoseconds + days * Day.nanoseconds))
    }

    private func manifests(_ archive: String) throws -> [ArchiveManifest] {
        var found: [ArchiveManifest] = []
        try ArchiveCatalog(root: "\(directory.path)/\(archive)", selection: ArchiveCatalog.Selection()).visit {
            if case .manifest(let manifest, _, _) = $0 { found.append(manifest) }
        }
        return found
    }

    private func problems(_ archive: String) throws -> [String] {
        try ArchiveContents.problems("\(directory.path)/\(archive)")
    }
}
