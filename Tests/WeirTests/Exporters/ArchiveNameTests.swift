import Testing

@testable import Weir

@Suite struct ArchiveNameTests {
    private let journal = JournalID(value: 0x9F86_D081_884C_7D65)

    @Test func saysWhenAndWhichRecords() {
        let name = ArchiveName(
            begun: Timestamp(nanoseconds: SampleBatch.fourOClock), journal: journal, sequences: 12...UInt64.max)
        #expect(name.text == "20260203T040000Z-9f86d081884c7d65-00000000000000000012-18446744073709551615")
        for suffix in ["", ".jsonl", ".jsonl.zst", ".otlp.gz", ".parquet"] {
            #expect(ArchiveName.sequences(in: name.text + suffix, of: journal) == 12...UInt64.max)
        }
        #expect(ArchiveName.sequences(in: name.text, of: JournalID(value: 1)) == nil)
    }

    @Test func takesNoOtherNameForOne() {
        let (first, last) = ("00000000000000000012", "00000000000000000034")
        for name in [
            "", ".open", "readme.txt", "20260203T040506Z-9f86d081-000001.jsonl.zst", "x-9f86d081884c7d65-12-34.jsonl",
            "x-9f86d081884c7d65-\(last)-\(first).jsonl", "x-9f86d081884c7d65-\(first).jsonl",
            "x-9f86d081884c7d65-\(first)-\(last)-1.jsonl", "x-9f86d081884c7d65-\(first)-99999999999999999999.jsonl",
        ] {
            #expect(ArchiveName.sequences(in: name, of: journal) == nil, "\(name)")
        }
    }
}
