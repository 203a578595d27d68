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

    /// What a footer says.
    struct Line: Equatable, CustomStringConvertible {
        let journal: String
        let sequences: ClosedRange<UInt64>
        let records: Int
        let spans: Int

        init(of spans: ArchivedSpans, journal: String) {
            self.journal = journal
            sequences = spans.sequences
            (records, self.spans) = (spans.records, spans.spans)
        }

        /// Nil where the text is something else.
        init?(_ text: UnsafeRawBufferPointer) {
            guard let tree = JSONTreeReader.value(text), let journal = tree["journal"]?.asText,
                let first = tree["first_sequence"]?.asInt, let last = tree["last_sequence"]?.asInt, first >= 0,
                first <= last, let records = tree["records"]?.count, let spans = tree["spans"]?.count
            else { return nil }
            self.journal = journal
            sequences = UInt64(first)...UInt64(last)
            (self.records, self.spans) = (records, spans)
        }

        var description: String {
            "requests \(sequences.lowerBound) to \(sequences.upperBound) of \(journal), \(records) with \(spans) spans"
        }
    }

    /// What the footer of a compressed file says; nil where it has none.
    static func read(_ path: String, _ keys: ArchiveKeys?) throws(FileError) -> Line? {
        var reader = try FileReader(path, opening: keys)
        let size = try reader.length
        let last = try reader.piece(max(0, size - SeekTable.footer)..<size)
        let end = size - SeekTable.length(atEndOf: last)
        guard end > 0 else { return nil }
        let tail = try reader.piece(max(0, end - maximumLength)..<end)
        return tail.withUnsafeBytes { tail in
            guard let close = tail.lastIndex(of: UInt8(ascii: "}")),
                let open = tail[..<close].lastIndex(of: UInt8(ascii: "{"))
            else { return nil }
            return Line(UnsafeRawBufferPointer(rebasing: tail[open...close]))
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
