import Foundation
import Testing

@testable import Weir

/// Finding a trace without opening the files that do not have it.
@Suite struct ArchiveSearchTests {
    private let start = SampleBatch.fourOClock

    @Test func ofAThousandFilesFewAreLookedInto() async throws {
        let directory = try TemporaryDirectory(in: "/dev/shm")
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        for number in 0..<1_000 as Range<UInt64> {
            // Each span is a trace, and every tenth file has one that the file before has too.
            let shared = number % 10 == 9 ? [(id: number * 20 - 20 + 1, start: start)] : []
            let spans = (1...20).map { (id: number * 20 + $0, start: start + $0) } + shared
            try await archive.export(FrozenBatch(records: [SampleBatch.record(spans)]))
            await archive.exporter.settle()
        }
        let all = manifests(of: directory)
        #expect(all.count == 1_000)
        for id in stride(from: 9 * 20 - 20 + 1 as UInt64, to: 20_000, by: 1_999) {
            let search = search(id, directory)
            let candidates = try all.filter { try search.mayHave($0) }
            let found = try candidates.filter { try search.look(into: $0) != nil }
            let right = (id - 1) / 20 % 10 == 8 && (id - 1) % 20 == 0 ? 2 : 1
            #expect(found.count == right && candidates.count <= right + 2)
        }
        // And of traces that are not there.
        for id in 1_000_000..<1_000_020 as Range<UInt64> {
            #expect(try all.count { try search(id, directory).mayHave($0) } <= 2)
        }
    }

    @Test(arguments: ArchiveFormat.allCases)
    func itHoldsForMergedAndErasedFilesToo(format: ArchiveFormat) async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: \(format.rawValue)", in: directory)
        for record in try ErasureSample.records() {
            try await archive.exporter.export(FrozenBatch(records: [record]))
            await archive.exporter.settle()
        }
        let traces = ["a", "b", "c", "d", "e"].compactMap { TraceID(String(repeating: $0, count: 32)) }
        func spans() throws -> [Int] {
            try traces.map { trace in
                let search = ArchiveSearch(trace: trace, catalog: catalog(directory))
                return try manifests(of: directory).filter { try search.mayHave($0) }.reduce(0) {
                    $0 + (try search.look(into: $1)?.spans ?? 0)
                }
            }
        }
        #expect(try spans() == [3, 1, 1, 1, 1])
        let later = Timestamp(nanoseconds: start + 2 * Day.nanoseconds)
        let rules = CompactionRules(after: .zero, target: 1 << 20)
        #expect(try ArchiveContents.compact(directory.path, rules, nil, at: later).made == 1)
        #expect(try spans() == [3, 1, 1, 1, 1])
        let erasure = try #require(try ArchiveErasure(directory.path))
        _ = try erasure.erase(ErasureSample.matcher(), traces: ErasureSample.traces, at: later)
        #expect(try spans() == [1, 1, 0, 0, 1])
        // Of whom nothing is left the filter says nothing either.
        let manifest = try #require(manifests(of: directory).first)
        #expect(manifest.bloom?.rows == 3)
        #expect(try ArchiveContents.problems(directory.path) == [])
        #expect(directory.files().filter { $0.hasSuffix(".bloom") } == [try #require(manifest.bloom?.path)])
    }

    @Test func whatWasTakenBackIsInNoFilter() async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        try await archive.exporter.export(FrozenBatch(records: [SampleBatch.record([(1, start)])]))
        let broken = JournalRecord(
            sequence: 3, tenant: "default", receivedAt: archive.clock.now, spanCount: 1,
            payload: [0x0A, 0xFF].withUnsafeBytes { Payload.copying($0) })
        await #expect(throws: ExportError.self) {
            try await archive.exporter.export(
                FrozenBatch(records: [SampleBatch.record([(2, start)], sequence: 2), broken]))
        }
        await archive.exporter.finish()
        #expect(manifests(of: directory).map(\.bloom?.rows) == [1])
    }

    @Test func aFilterThatIsNotWhatItWasIsNotBelieved() async throws {
        let directory = try TemporaryDirectory()
        let archive = try ArchiveSample("format: otlp_proto", in: directory)
        try await archive.export(SampleBatch.batch(1...1))
        await archive.exporter.finish()
        let manifest = try #require(manifests(of: directory).first)
        let path = try #require(manifest.bloom?.path)
        #expect(try search(1, directory).mayHave(manifest))
        let count = try directory.contents(of: path).count
        try Data([UInt8](repeating: 0, count: count)).write(to: URL(fileURLWithPath: "\(directory.path)/\(path)"))
        #expect(throws: FileError.self) { try search(1, directory).mayHave(manifest) }
        #expect(try ArchiveContents.problems(directory.path).count == 1)
        try FileManager.default.removeItem(atPath: "\(directory.path)/\(path)")
        #expect(try ArchiveContents.problems(directory.path) == ["\(path): is missing"])
    }

    @Test func tellsOfManyTraces() throws {
        var traces = ArchiveHashes()
        func trace(_ number: UInt64) -> TraceID { TraceID(high: number &* 0x9E37_79B9_7F4A_7C15, low: number) }
        for number in 1...50_000 as ClosedRange<UInt64> { traces.add(trace(number)) }
        let directory = try TemporaryDirectory()
        let file = try ArchiveIndex(traces: traces).write("\(directory.path)/x.bloom").file
        #expect(file.rows == 50_000 && file.bytes < 201_000)
        let filter = try #require(BloomFilter(written: try directory.contents(of: "x.bloom")))
        #expect((1...50_000).allSatisfy { filter.contains(ArchiveHashes.hash(trace($0))) })
        // About one of 25,000.
        let wrong = (100_001...200_000).count { filter.contains(ArchiveHashes.hash(trace($0))) }
        #expect(wrong < 25)
    }

    /// Of more than half a million only the bits of a filter are known, which is as large then as the others.
    @Test(arguments: Torture.isOn ? [600_000, 1_100_000] : [600_000])
    func tellsOfMoreThanIsKeptOneByOne(count: Int) throws {
        var traces = ArchiveHashes()
        func trace(_ number: Int) -> TraceID {
            TraceID(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number))
        }
        for number in 0..<count * 2 / 3 { traces.add(trace(number)) }
        // Some come again, as those of a trace that goes on.
        for number in count / 2..<count { traces.add(trace(number)) }
        #expect(abs(traces.count - count) < count / 100 || count > 1 << 20)
        let filter = traces.finished
        #expect(filter.size >= count * 4 && filter.size <= count * 16)
        #expect((0..<count).allSatisfy { filter.contains(ArchiveHashes.hash(trace($0))) })
        #expect((count..<count + 100_000).count { filter.contains(ArchiveHashes.hash(trace($0))) } < 25)
    }

    @Test func aFilterThatIsFoldedHasAllThatWasInIt() {
        func hash(_ number: Int) -> UInt64 { withUnsafeBytes(of: number) { XXHash64.hash($0) } }
        var (large, small) = (BloomFilter(size: 1 << 16), BloomFilter(size: 1 << 14))
        for number in 0..<1_000 {
            large.insert(hash(number))
            small.insert(hash(number))
        }
        for _ in 0..<2 { large.fold() }
        #expect(large.bytes == small.bytes)
    }

    // MARK: -

    private func catalog(_ directory: TemporaryDirectory) -> ArchiveCatalog {
        ArchiveCatalog(root: directory.path, selection: ArchiveCatalog.Selection())
    }

    /// For the trace that a sample's span is.
    private func search(_ id: UInt64, _ directory: TemporaryDirectory) -> ArchiveSearch {
        ArchiveSearch(trace: TraceID(high: 1, low: id), catalog: catalog(directory))
    }

    private func manifests(of directory: TemporaryDirectory) -> [ArchiveManifest] {
        var found: [ArchiveManifest] = []
        try? catalog(directory).visit { if let manifest = $0.published?.manifest { found.append(manifest) } }
        return found
    }
}
