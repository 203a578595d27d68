import Testing

@testable import Weir

struct ArchiveManifestTests {
    private let manifest = ArchiveManifest(
        number: 7, previous: "ab", journal: "0000000000000007", tenant: "größe\"\n", format: .parquet,
        compression: .zstd, spans: ArchivedSpans(of: 3...9, records: 5, spans: 40, times: 1...UInt64.max),
        created: "2026-02-03T04:00:00.000000000Z",
        files: [
            ArchiveManifest.File(path: "spans/tenant=a/x.parquet", dataset: .spans, rows: 40, bytes: 1, sha256: "cd"),
            ArchiveManifest.File(path: "llm_usage/x.parquet", dataset: .usage, rows: 2, bytes: 3, sha256: "ef"),
        ])

    @Test func readsWhatItWroteOfAll() {
        var full = manifest
        full.spans = ArchivedSpans(of: [3...9], records: 5, spans: 40, times: 1...UInt64.max, suspects: 3)
        full.bloom = ArchiveManifest.File(path: "spans/_x.bloom", dataset: nil, rows: 7, bytes: 44, sha256: "01")
        full.names = ArchiveManifest.Names(offset: 40, count: 9, key: "0123456789abcdef")
        full.holds = ["a", "b"]
        #expect(read(full.bytes) == full)
        let text = String(decoding: full.bytes, as: UTF8.self)
        #expect(read(Array(text.replacing("spans/_x.bloom", with: "../x").utf8)) == nil)
    }

    @Test func saysWhichRequestsAreNotAmongItsOwn() {
        let spans = ArchivedSpans(of: [1...2, 5...5, 9...9], records: 4, spans: 9, times: nil)
        #expect(spans.knowsEverySequence && spans.everySequence == [1, 2, 5, 9])
        #expect(spans.foreign(among: [0, 1, 2, 3, 5, 6, 9, 10]) == 4)
        #expect(spans.foreign(among: [9, 2]) == 0)
        let unknown = ArchivedSpans(of: 1...9, records: 4, spans: 9, times: nil)
        #expect(!unknown.knowsEverySequence && unknown.everySequence == nil)
    }

    @Test func readsWhatItWrote() {
        #expect(read(manifest.bytes) == manifest)
        #expect(manifest.bytes.last == UInt8(ascii: "\n"))
        #expect(manifest.bytes.dropLast().allSatisfy { $0 != UInt8(ascii: "\n") })
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../../b"])
    func takesNoFileOutsideOfTheArchive(path: String) {
        let text = String(decoding: manifest.bytes, as: UTF8.self)
        #expect(read(Array(text.replacing("spans/tenant=a/x.parquet", with: path).utf8)) == nil)
    }

    @Test func takesNothingThatIsCutOff() {
        for end in 0..<manifest.bytes.count - 1 { #expect(read(Array(manifest.bytes[..<end])) == nil) }
    }

    @Test(arguments: [("\"version\":1", "\"version\":2"), ("[[3,9]]", "[[9,3]]"), ("[[3,9]]", "[]")])
    func takesNothingElse(part: String, other: String) {
        let text = String(decoding: manifest.bytes, as: UTF8.self)
        #expect(text.contains(part))
        #expect(read(Array(text.replacing(part, with: other).utf8)) == nil)
    }

    @Test(arguments: ["number\":7", "records\":5", "spans\":40", "rows\":2", "bytes\":3"])
    func takesNoNumberThatASumWouldOverflow(part: String) {
        let text = String(decoding: manifest.bytes, as: UTF8.self)
        #expect(text.contains(part))
        let name = part.prefix { $0 != ":" }
        for number in [-1, Int.max] {
            #expect(read(Array(text.replacing(part, with: "\(name):\(number)").utf8)) == nil)
        }
    }

    private func read(_ bytes: [UInt8]) -> ArchiveManifest? { bytes.withUnsafeBytes { ArchiveManifest($0) } }
}
