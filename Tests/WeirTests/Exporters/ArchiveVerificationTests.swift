import Foundation
import Testing

@testable import Weir

/// What is found to be wrong with an archive, and what is not.
@Suite struct ArchiveVerificationTests {
    private let directory: TemporaryDirectory
    private let partition = "tenant=default/date=2026-02-03/hour=04"

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test(arguments: ArchiveFormat.allCases)
    func aSoundArchiveIsWhole(format: ArchiveFormat) async throws {
        try await fill(format)
        #expect(try problems() == [])
        var verification = ArchiveVerification(catalog())
        try verification.run { _ in }
        #expect(verification.files == (format == .parquet ? 6 : 3) && verification.spans == 6)
        #expect(verification.bytes == (try files().map { try directory.contents(of: $0).count }.reduce(0, +)))
    }

    @Test func aFileThatWasChangedIsFound() async throws {
        try await fill()
        let file = try files()[1]
        var bytes = try directory.contents(of: file)
        let wanted = ArchiveManifest.digits(Digest.sha256(bytes))
        bytes[9] ^= 1
        try write(bytes, to: file)
        let found = ArchiveManifest.digits(Digest.sha256(bytes))
        #expect(try problems() == ["\(file): found sha256 \(found), wanted \(wanted)"])
        try write(Array(bytes.dropLast()), to: file)
        #expect(try problems() == ["\(file): found \(bytes.count - 1) bytes, wanted \(bytes.count)"])
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
        #expect(try problems() == ["\(file): is missing"])
    }

    @Test func aFileWithoutManifestIsFound() async throws {
        try await fill()
        let file = try files()[2]
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(try manifests()[2])")
        #expect(
            try problems() == [
                "\(file): found no manifest beside it",
                "journal 0000000000000007: manifests 3 to 3 are missing",
            ])
    }

    @Test func aPublicationThatIsGoneIsMissed() async throws {
        try await fill()
        for file in [try files()[1], try manifests()[1]] {
            try FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
        }
        #expect(try problems() == ["journal 0000000000000007: manifests 2 to 2 are missing"])
    }

    @Test func whatIsGoneInFrontIsNotMissed() async throws {
        try await fill()
        for file in [try files()[0], try manifests()[0]] {
            try FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
        }
        #expect(try problems() == [])
    }

    @Test func everythingOfAJournalThatIsGoneIsMissed() async throws {
        try await fill()
        // The end of the chain of another journal, of which nothing is there.
        try write(Array("2 \(String(repeating: "ab", count: 32))\n".utf8), to: ".chain/0000000000000009")
        #expect(try problems() == ["journal 0000000000000009: manifests 1 to 2 are missing"])
        let line = #"{"journal":"0000000000000009","numbers":[[1,1]]}"#
        try write(Array("\(line)\n".utf8), to: ".chain/removed.jsonl")
        #expect(try problems() == ["journal 0000000000000009: manifests 2 to 2 are missing"])
        try FileManager.default.removeItem(atPath: "\(directory.path)/tenant=default")
        #expect(
            try problems() == [
                "journal 0000000000000007: manifests 1 to 3 are missing",
                "journal 0000000000000009: manifests 2 to 2 are missing",
            ])
        try write(Array("\(line.replacing("[1,1]", with: "[1,2]"))\n".utf8), to: ".chain/removed.jsonl")
        #expect(try problems() == ["journal 0000000000000007: manifests 1 to 3 are missing"])
        #expect(try problems(ArchiveCatalog.Selection(tenant: "default")) == [])
        try write([1], to: ".chain/0000000000000009")
        #expect(try problems().contains("journal 0000000000000009: the end of its chain cannot be read"))
    }

    @Test func whereNoArchiveIsNothingIsWhole() async throws {
        let none = "found nothing of an archive there: no manifest, and no chain of any"
        #expect(try problems() == [none])
        #expect(try problems(ArchiveCatalog.Selection(tenant: "default")) == [none])
        try write([1], to: "notes.txt")
        #expect(try problems() == [none])
        try await fill()
        try FileManager.default.removeItem(atPath: "\(directory.path)/.chain")
        #expect(try problems() == [])
        #expect(try problems(ArchiveCatalog.Selection(tenant: "other")) == [])
    }

    @Test func aManifestThatWasChangedIsFound() async throws {
        try await fill()
        for (index, wanted) in [
            (1, "\(try manifests()[2]): is not what followed \(try manifests()[1]), or that was changed"),
            (2, "journal 0000000000000007: manifest 3 was changed"),
        ] {
            let path = try manifests()[index]
            let bytes = try directory.contents(of: path)
            let text = String(decoding: bytes, as: UTF8.self)
            try write(Array(text.replacing("\"records\":1", with: "\"records\":2").utf8), to: path)
            #expect(try problems(isQuick: true) == [wanted])
            try write(Array("{".utf8), to: path)
            #expect(try problems().contains("\(path): found no manifest that can be read"))
            try write(bytes, to: path)
        }
    }

    /// A counting fault, or who changes a manifest and the chain with it.
    @Test(arguments: ArchiveFormat.allCases, [false, true])
    func whatAManifestSaysIsCountedAgain(format: ArchiveFormat, isMerged: Bool) async throws {
        try await fill(format)
        if isMerged {
            let later = Timestamp(nanoseconds: SampleBatch.fourOClock + 2 * Day.nanoseconds)
            let rules = CompactionRules(after: .zero, target: 1 << 20)
            #expect(try ArchiveContents.compact(directory.path, rules, nil, at: later).merged == 3)
        }
        #expect(try problems() == [])
        let path = try #require(try manifests().last)
        let original = try directory.contents(of: path)
        let text = String(decoding: original, as: UTF8.self)
        let manifest = try #require(original.withUnsafeBytes { ArchiveManifest($0) })
        let first = try #require(manifest.spans.times?.lowerBound)
        let last = manifest.spans.sequences.upperBound
        let spans = manifest.spans.spans
        for (part, other, wanted) in [
            ("\"spans\":\(spans),", "\"spans\":800,", "spans, wanted 800"),
            ("\"rows\":\(spans),", "\"rows\":801,", "wanted 801"),
            ("\"min_start_unix_nano\":\"\(first)\"", "\"min_start_unix_nano\":\"1\"", "as the first start, wanted 1"),
            ("\"records\":\(manifest.spans.records),", "\"records\":9,", "wanted 9"),
            (",\(last)]]", ",\(last + 7)]]", "wanted requests"),
        ] where format != .parquet || !wanted.hasPrefix("wanted requests") {
            let changed = text.replacing(part, with: other, maxReplacements: 1)
            #expect(changed != text)
            try write(Array(changed.utf8), to: path)
            let hash = ArchiveManifest.hash(Array(changed.utf8))
            try write(Array("\(isMerged ? 3 : manifest.number) \(hash)\n".utf8), to: ".chain/0000000000000007")
            let found = try problems()
            #expect(found.contains { $0.contains(wanted) }, "\(part): \(found)")
            #expect(try !problems(isQuick: true).contains { $0.contains(wanted) })
        }
    }

    @Test func requestsThatStandTwiceAreFound() async throws {
        try await fill()
        let path = try manifests()[0]
        let copy = path.replacing("_20260203T0400", with: "_20260203T0500")
        try FileManager.default.copyItem(atPath: "\(directory.path)/\(path)", toPath: "\(directory.path)/\(copy)")
        #expect(
            try problems() == [
                "\(copy): has requests that \(path) has", "\(copy): has number 1, as \(path) has",
            ])
    }

    @Test func onlyWhatIsAskedForIsLookedAt() async throws {
        try await fill()
        let file = try files()[0]
        try write([1], to: file)
        let hour = Timestamp(nanoseconds: SampleBatch.fourOClock)
        let next = Timestamp(nanoseconds: SampleBatch.fourOClock + SampleBatch.hour)
        #expect(try problems(ArchiveCatalog.Selection(tenant: "other")) == [])
        #expect(try problems(ArchiveCatalog.Selection(to: hour)) == [])
        #expect(try problems(ArchiveCatalog.Selection(from: next)) == [])
        #expect(try problems(ArchiveCatalog.Selection(tenant: "default", from: hour, to: next)).count == 1)
    }

    /// Whoever sends spans chooses their hour, and anybody may put a directory into an archive.
    @Test(arguments: ["2554-07-21/hour=23", "9999-12-31/hour=23"])
    func theLastHourOfAllIsOneToo(hour: String) throws {
        let path = "tenant=default/date=\(hour)/x.otlp"
        let folder = "\(directory.path)/tenant=default/date=\(hour)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write([1], to: path)
        let from = ArchiveCatalog.Selection(from: Timestamp(nanoseconds: SampleBatch.fourOClock))
        #expect(try problems(from) == ["\(path): found no manifest beside it"])
    }

    @Test func anArchiveThatIsNotThereIsAnError() throws {
        let catalog = ArchiveCatalog(root: "\(directory.path)/none", selection: ArchiveCatalog.Selection())
        #expect(throws: FileError.self) { try catalog.visit { _ in } }
    }

    @Test func listsWhatItHolds() async throws {
        try await fill()
        let lines = try ArchiveListCommand.table(of: catalog()).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].contains("2026-02-03T04:00:00Z"))
        let sums = try ArchiveStatCommand.table(of: catalog()).split(separator: "\n")
        #expect(sums.count == 2)
        #expect(sums[1].hasPrefix("default  2026-02-03      3      6"))
    }

    @Test(arguments: [ArchiveFormat.json, .proto], Compression.allCases)
    func readsTheMessagesBack(format: ArchiveFormat, compression: Compression) async throws {
        try await fill(format, compression)
        var ids: [UInt64] = []
        var batch = Batch(decodedLimit: .max)
        for file in try files() {
            let reader = try #require(ArchiveFileReader("\(directory.path)/\(file)"))
            try reader.read(into: &batch) { ids += $0.spans.map(\.spanID) }
        }
        #expect(ids == [1, 2, 3, 4, 5, 6])
    }

    @Test func refusesAFileThatIsCutOff() async throws {
        try await fill(.proto, .none)
        let file = try files()[0]
        try write(Array(try directory.contents(of: file).dropLast()), to: file)
        let reader = try #require(ArchiveFileReader("\(directory.path)/\(file)"))
        var batch = Batch(decodedLimit: .max)
        #expect(throws: FileError.damaged("\(directory.path)/\(file)")) { try reader.read(into: &batch) { _ in } }
    }

    @Test(arguments: [(200, true), (300, false), (100_000, false)])
    func refusesAFileWithAValueThatIsNestedDeeperThanAnyReceiverTakes(depth: Int, isTaken: Bool) throws {
        let value =
            String(repeating: #"{"arrayValue":{"values":["#, count: depth) + #"{"intValue":"1"}"#
            + String(repeating: "]}}", count: depth)
        let span =
            #"{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","name":"deep","#
            + #""attributes":[{"key":"a","value":\#(value)}]}"#
        try write(Array((#"{"resourceSpans":[{"scopeSpans":[{"spans":["# + span + "]}]}]}\n").utf8), to: "x.jsonl")
        let reader = try #require(ArchiveFileReader("\(directory.path)/x.jsonl"))
        var batch = Batch(decodedLimit: .max)
        var spans = 0
        if isTaken {
            try reader.read(into: &batch) { spans += $0.spanCount }
        } else {
            // Not without a word, and not without the span: whoever writes the file anew would lose it.
            #expect(throws: FileError.damaged("\(directory.path)/x.jsonl")) {
                try reader.read(into: &batch) { spans += $0.spanCount }
            }
        }
        #expect(spans == (isTaken ? 1 : 0))
    }

    /// Three files of one request with two spans.
    private func fill(_ format: ArchiveFormat = .proto, _ compression: Compression = .zstd) async throws {
        let archive = try ArchiveSample(
            "format: \(format.rawValue)", "compression: \(compression.rawValue)", in: directory)
        for number in 0..<3 as Range<UInt64> {
            let spans = [1, 2].map { (id: number * 2 + $0, start: SampleBatch.fourOClock + number) }
            try await archive.export(FrozenBatch(records: [SampleBatch.record(spans)]))
            await archive.exporter.settle()
        }
    }

    private func catalog(_ selection: ArchiveCatalog.Selection = ArchiveCatalog.Selection()) -> ArchiveCatalog {
        ArchiveCatalog(root: directory.path, selection: selection)
    }

    private func problems(
        _ selection: ArchiveCatalog.Selection = ArchiveCatalog.Selection(), isQuick: Bool = false
    ) throws -> [String] {
        var lines: [String] = []
        var verification = ArchiveVerification(catalog(selection), isQuick: isQuick)
        try verification.run { lines.append($0) }
        return lines
    }

    private func files() throws -> [String] { directory.archiveFiles().filter { !$0.hasPrefix(".open/") } }

    private func manifests() throws -> [String] { directory.files().filter { $0.hasSuffix(".manifest.json") } }

    private func write(_ bytes: [UInt8], to file: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(directory.path)/\(file)"))
    }
}
