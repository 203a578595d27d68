import Foundation
import Testing

@testable import Weir

@Suite struct ArchiveFooterTests {
    @Test(arguments: [ArchiveFormat.json, .proto], [Compression.gzip, .zstd])
    func saysWhatIsInTheFile(format: ArchiveFormat, compression: Compression) async throws {
        let archive = try ArchiveSample("format: \(format.rawValue)", "compression: \(compression)")
        try await archive.export(
            FrozenBatch(records: [
                SampleBatch.record([(1, SampleBatch.fourOClock), (2, SampleBatch.fourOClock)]),
                SampleBatch.record([(3, SampleBatch.fourOClock)], tenant: "b"),
                SampleBatch.record([(4, SampleBatch.fourOClock)]),
            ]))
        try await archive.export(SampleBatch.batch(5...7))
        await archive.exporter.finish()
        let footers = try archive.published.map { try ArchiveReader.footer(of: $0, of: archive.directory) }
        #expect(
            footers == [
                [
                    "journal": "0000000000000007", "first_sequence": "2", "last_sequence": "2", "records": "1",
                    "spans": "1",
                ],
                [
                    "journal": "0000000000000007", "first_sequence": "1", "last_sequence": "4", "records": "3",
                    "spans": "6",
                ],
            ])
        #expect(try archive.spanIDs(in: archive.published) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func isNotThereWithoutCompression() {
        let bytes = ArchiveFooter.bytes(ArchivedSpans(of: 1, spans: 1), of: JournalID(value: 1), .none)
        #expect(bytes == [])
    }

    @Test func isNeverLongerThanItsLimit() {
        var spans = ArchivedSpans(of: .max - 1, spans: .max / 2)
        spans.append(ArchivedSpans(of: .max, spans: .max / 2))
        for compression in Compression.allCases {
            let bytes = ArchiveFooter.bytes(spans, of: JournalID(value: .max), compression)
            #expect(bytes.count <= ArchiveFooter.maximumLength)
        }
    }

    @Test(arguments: [(["zstd", "-dcq"], Compression.zstd), (["gzip", "-dc"], .gzip)])
    func isNothingToTheUsualTools(command: [String], compression: Compression) async throws {
        let archive = try ArchiveSample("format: otlp_json", "compression: \(compression)")
        try await archive.export(SampleBatch.batch(1...3))
        try await archive.export(SampleBatch.batch(4...5))
        await archive.exporter.finish()
        let file = try #require(archive.published.first)
        let output = try CompressedSample.run(command, input: try archive.directory.contents(of: file))
        #expect(output == (try ArchiveReader.contents(of: file, of: archive.directory)))
    }
}
