import Foundation
import Testing

@testable import Weir

/// What becomes of the files of a day that is over.
@Suite struct ArchiveCompactionTests {
    private let directory: TemporaryDirectory
    private let today = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: ArchiveFormat.allCases, Compression.allCases)
    func mergesADayWithoutLosingASpan(format: ArchiveFormat, compression: Compression) async throws {
        try await fill(format, compression, hours: 3)
        #expect(try manifests().count == 6)
        #expect(try compact(at: today) == ArchiveCompaction.Outcome())
        let outcome = try compact()
        #expect(outcome.merged == 6 && outcome.made == 1 && outcome.spans == 14 && outcome.erased == 0)
        #expect(try problems() == [])
        let manifest = try #require(try manifests().first)
        #expect(try manifests().count == 1)
        #expect(manifest.parts.map(\.hour) == [4, 4, 4, 4, 5, 6] && manifest.supersedes.count == 6)
        #expect(manifest.spans.spans == 14 && manifest.number == 1)
        #expect(manifest.place?.day == Day(today) && manifest.place?.hour == nil)
        #expect(try ArchiveContents.spanIDs(of: directory, format) == all)
        #expect(directory.files().allSatisfy { !$0.contains("hour=0") && !$0.hasPrefix(".erasing/") })
        // There is nothing left to do.
        #expect(try compact() == ArchiveCompaction.Outcome())
    }

    @Test(arguments: ArchiveFormat.allCases) func whatComesLateIsMergedToo(format: ArchiveFormat) async throws {
        try await fill(format)
        _ = try compact()
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        try await archive.exporter.export(
            FrozenBatch(records: [SampleBatch.record([(90, SampleBatch.fourOClock)], sequence: 90)]))
        await archive.exporter.finish()
        #expect(try compact().merged == 2)
        #expect(try manifests().map(\.parts.count) == [7])
        #expect(try problems() == [])
        #expect(try ArchiveContents.spanIDs(of: directory, format) == all + [90])
    }

    @Test(arguments: ArchiveFormat.allCases) func whatWasMergedIsNotWrittenAgain(format: ArchiveFormat) async throws {
        try await fill(format)
        _ = try compact()
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        let records = try ErasureSample.records() + more
        try await archive.exporter.export(
            FrozenBatch(journal: JournalID(value: 7), records: records, recoveredThrough: 10))
        await archive.exporter.finish()
        #expect(try manifests().count == 1)
        #expect(try ArchiveContents.spanIDs(of: directory, format) == all)
    }

    @Test(arguments: ArchiveFormat.allCases) func leavesOutWhoWasErased(format: ArchiveFormat) async throws {
        try await fill(format)
        let id = try request()
        let outcome = try compact()
        #expect(outcome.erased == 4 && outcome.spans == 10)
        #expect(try problems() == [])
        #expect(try ArchiveContents.spanIDs(of: directory, format) == all.filter { !ErasureSample.erased.contains($0) })
        #expect(try directory.files(with: ErasureSample.person).filter { !$0.hasPrefix("erasures/") } == [])
        let steps = try register().requests.flatMap(\.steps)
        #expect(steps.map(\.id) == [id] && steps.first?.counts == [.init(name: "spans", value: 4)])
        #expect(steps.first?.rewritten.count == 6)
        let after = try manifests().first?.files.first?.sha256
        #expect(steps.flatMap(\.rewritten).allSatisfy { $0.after == after })
    }

    @Test(arguments: ArchiveFormat.allCases) func aMergedFileCanBeErasedFrom(format: ArchiveFormat) async throws {
        try await fill(format)
        _ = try compact()
        let erasure = try #require(try ArchiveErasure(directory.path))
        let matcher = ErasureSample.matcher()
        let erased = try erasure.erase(matcher, traces: try erasure.traces(of: matcher), at: later)
        #expect(erased.spans == 4)
        #expect(try problems() == [])
        #expect(try ArchiveContents.spanIDs(of: directory, format) == all.filter { !ErasureSample.erased.contains($0) })
        let manifest = try #require(try manifests().first)
        #expect(manifest.spans.spans == 10 && manifest.parts.count == 6 && manifest.supersedes.count == 7)
        if format != .parquet { #expect(manifest.parts.map(\.spans.spans).reduce(0, +) == 10) }
    }

    @Test func aHoldKeepsFilesAsTheyAre() async throws {
        try await fill(.proto)
        var register = try register()
        try register.append(at: today) { _ in
            var entry = ErasureEntry(.hold, id: "h")
            (entry.tenant, entry.reason) = ("default", "case 17")
            return entry
        }
        let outcome = try compact()
        #expect(outcome.made == 0 && outcome.held == 1)
        #expect(try manifests().count == 6)
        try register.append(at: today) { _ in ErasureEntry(.release, id: "h") }
        #expect(try compact().merged == 6)
    }

    @Test func whoIsHeldIsNotErasedWhileFilesAreMerged() async throws {
        try await fill(.proto)
        try request()
        var register = try register()
        let names = try #require(register.requests.first?.names)
        try register.append(at: today) { _ in
            var entry = ErasureEntry(.hold, id: "h")
            // Of days that are not merged.
            (entry.tenant, entry.attribute, entry.names, entry.from) = ("default", "user.id", names, Day(later))
            return entry
        }
        #expect(try compact().erased == 0)
        #expect(try ArchiveContents.spanIDs(of: directory, .proto) == all)
    }

    @Test(arguments: [ArchiveFormat.proto, .parquet]) func aDamagedFileStaysAlone(format: ArchiveFormat) async throws {
        try await fill(format)
        let path = try #require(try manifests().first?.files.first?.path)
        var bytes = try directory.contents(of: path)
        // Within the pages or messages, so that only its hash tells.
        bytes[20] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: "\(directory.path)/\(path)"))
        let outcome = try compact()
        #expect(outcome.damaged == [path] && outcome.merged == 5)
        #expect(try manifests().count == 2)
        #expect(try problems().count == 1)
    }

    @Test func filesOfOtherJournalsAndCompressionsStayApart() async throws {
        try await fill(.proto, .zstd)
        try await fill(.proto, .gzip, journal: 8)
        let outcome = try compact()
        #expect(outcome.made == 2 && outcome.merged == 12)
        #expect(try manifests().map(\.journal).sorted() == ["0000000000000007", "0000000000000008"])
        #expect(try problems() == [])
    }

    @Test func twoDoNotMergeAtATime() async throws {
        try await fill(.json)
        do {
            let change = try ArchiveChange(directory.path)
            #expect(try compact().isBusy)
            withExtendedLifetime(change) {}
        }
        #expect(try !compact().isBusy)
    }

    @Test(arguments: ArchiveFormat.allCases) func everyStepOfAMergeCanBeTheLast(format: ArchiveFormat) async throws {
        try await fill(format)
        let before = try snapshot()
        _ = try compact()
        let after = try snapshot()
        let new = after.keys.filter { before[$0] == nil }.sorted { !$0.hasSuffix(".json") && $1.hasSuffix(".json") }
        let manifest = try #require(new.first { $0.hasSuffix(".manifest.json") })
        let draft = try #require(after[manifest])
        let read = try #require(draft.withUnsafeBytes { ArchiveManifest($0) })
        let stem = ".erasing/\(read.journal)-\(read.number)"
        let old = before.keys.filter { after[$0] == nil }.sorted { !$0.hasSuffix(".json") && $1.hasSuffix(".json") }
        let files = read.allFiles.map(\.path)
        // How far it came: new files, the draft, their names, the manifest's, and each old file.
        for step in 0...2 + files.count + old.count {
            let left = try TemporaryDirectory()
            for (name, bytes) in before where !old.prefix(max(0, step - 2 - files.count)).contains(name) {
                try write(bytes, to: name, of: left)
            }
            for (index, path) in files.enumerated() {
                let isNamed = step >= 2 + index
                let bytes = try #require(after[path])
                try write(bytes, to: isNamed ? path : "\(stem).\(index)", of: left)
            }
            if step >= 1 { try write(draft, to: "\(stem).merged.json", of: left) }
            if step >= 2 + files.count { try write(draft, to: manifest, of: left) }
            // Whoever goes by manifests sees all, once, at any moment.
            #expect(try ArchiveContents.manifestSpans(of: left, format) == all, "step \(step)")
            _ = try ArchiveChange(left.path)
            #expect(try ArchiveContents.manifestSpans(of: left, format) == all, "step \(step)")
            #expect(try problems(left) == [], "step \(step)")
            #expect(left.files().allSatisfy { !$0.hasPrefix(".erasing/") }, "step \(step)")
            if step >= 1 { #expect(left.files().sorted() == after.keys.sorted(), "step \(step)") }
        }
    }

    @Test(arguments: ArchiveFormat.allCases) func anyTimeOfASpanIsAllRight(format: ArchiveFormat) async throws {
        for number in 1...3 as ClosedRange<UInt64> {
            let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
            let spans: [(id: UInt64, start: UInt64)] = [(number * 2, .max - number), (number * 2 + 1, number)]
            try await archive.exporter.export(FrozenBatch(records: [SampleBatch.record(spans, sequence: number)]))
            await archive.exporter.finish()
        }
        // At the earliest day that is believed; the latest is not over.
        #expect(try compact().merged == 3)
        #expect(try problems() == [])
        #expect(try ArchiveContents.spanIDs(of: directory, format) == Array(2...7))
        // None of them started there.
        for day in [Day(today) + 1, Day(today) + -30] {
            let found = try ArchivedDay(day, in: directory.path, isParquet: format == .parquet, isVerified: true)
            #expect(found.spans.isEmpty && found.damaged == [])
        }
    }

    @Test func manyRowsMakeLargerRowGroups() async throws {
        let archive = try ArchiveSample("format: parquet", in: directory)
        for number in 0..<20 as Range<UInt64> {
            let ids = (0..<100 as Range<UInt64>).map { (id: number * 100 + $0 + 1, start: SampleBatch.fourOClock) }
            try await archive.exporter.export(FrozenBatch(records: [SampleBatch.record(ids, sequence: number + 1)]))
            await archive.exporter.settle()
        }
        await archive.exporter.finish()
        #expect(try compact().merged == 20)
        let path = try #require(try manifests().first?.files.first?.path)
        #expect(try ParquetReader("\(directory.path)/\(path)").groups.map(\.rows) == [2_000])
        #expect(try ArchiveContents.spanIDs(of: directory, .parquet) == Array(1...2_000))
    }

    // MARK: -

    private let all: [UInt64] = Array(1...7) + Array(21...27)
    /// Requests of two hours.
    private var more: [JournalRecord] {
        let (start, hour) = (SampleBatch.fourOClock, SampleBatch.hour)
        return [
            SampleBatch.record([(21, start + hour), (22, start + hour), (23, start + 2 * hour)], sequence: 5),
            SampleBatch.record(
                [(24, start + hour), (25, start + hour), (26, start + 2 * hour), (27, start + 2 * hour)], sequence: 6),
        ]
    }

    /// Four files of the first hour, and one of each of the others.
    private func fill(
        _ format: ArchiveFormat, _ compression: Compression = .zstd, hours: Int = 3, journal: UInt64 = 7
    ) async throws {
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", "compression: \(compression.rawValue)", in: directory, journal: journal)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(
                FrozenBatch(journal: JournalID(value: journal), records: [record], recoveredThrough: 0))
            await archive.exporter.settle()
        }
        try await archive.exporter.export(
            FrozenBatch(journal: JournalID(value: journal), records: more, recoveredThrough: 0))
        await archive.exporter.finish()
    }

    private func register() throws -> ErasureRegister { try ErasureRegister("\(directory.path)/erasures") }

    @discardableResult private func request() throws -> String {
        var register = try register()
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: today) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(ErasureSample.person.utf8))]
            return entry
        }
        return "1"
    }

    private func compact(at now: Timestamp? = nil) throws -> ArchiveCompaction.Outcome {
        let rules = CompactionRules(after: .seconds(6 * 3_600), target: 256 << 20)
        let catalog = ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
        return try ArchiveCompaction(catalog, rules, register()).run(at: now ?? later)
    }

    private func manifests() throws -> [ArchiveManifest] {
        try directory.files().filter { $0.hasSuffix(".manifest.json") }.map { file in
            try #require(try directory.contents(of: file).withUnsafeBytes { ArchiveManifest($0) })
        }.sorted { $0.number < $1.number }
    }

    private func problems(_ other: TemporaryDirectory? = nil) throws -> [String] {
        try ArchiveContents.problems((other ?? directory).path)
    }

    private func snapshot() throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for file in directory.files() where !file.hasPrefix("erasures/") {
            found[file] = try directory.contents(of: file)
        }
        return found
    }

    private func write(_ bytes: [UInt8], to name: String, of directory: TemporaryDirectory) throws {
        let path = "\(directory.path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: Directory.parent(of: path), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
