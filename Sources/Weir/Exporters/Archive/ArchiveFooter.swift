/// The last thing in a compressed file: which records it holds, as a line of JSON, and behind it, in zstd, where its
/// frames begin. Decompressors skip both.
enum ArchiveFooter {
    /// Bytes, without what each frame adds.
    static let maximumLength = 256

    /// RFC 8878, 3.1.2: the sixteen magic numbers from 0x184D2A50 on begin a skippable frame.
    private static let skippableFrame: UInt32 = 0x184D_2A57

    /// - Parameter table: of the frames of the file, in zstd.
    static func bytes(
        _ spans: ArchivedSpans, of journal: JournalID, _ compression: Compression, _ table: SeekTable = SeekTable()
    ) -> [UInt8] {
        let line = Array(text(spans, of: journal).utf8)
        switch compression {
        case .none: return []
        case .zstd:
            let footer = skippableFrame.littleEndianBytes + UInt32(line.count).littleEndianBytes + line
            return footer + table.bytes(after: footer.count)
        case .gzip:
            // RFC 1952, 2.3: deflate, FNAME, no time, no system; the name, which ends in a zero; then no content.
            return [0x1F, 0x8B, 8, 0x08, 0, 0, 0, 0, 0, 255] + line + [0] + [3, 0] + [0, 0, 0, 0] + [0, 0, 0, 0]
        }
    }

    /// A line of JSON.
    static func text(_ spans: ArchivedSpans, of journal: JournalID) -> String {
        let first = spans.sequences.lowerBound
        let last = spans.sequences.upperBound
        return #"{"journal":"\#(journal.text)","first_sequence":\#(first),"last_sequence":\#(last),"#
            + #""records":\#(spans.records),"spans":\#(spans.spans)}"#
    }
}
