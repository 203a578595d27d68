/// What a published file is called, without its suffix:
/// `20260203T040506Z-9f86d081884c7d65-00000000000000000012-00000000000000000034`.
///
/// The parts are when the file was begun, the journal whose records it holds, and the first and last of them. All
/// records from the first to the last that have spans in the file's partition are in the file.
struct ArchiveName: Equatable {
    let begun: Timestamp
    let journal: JournalID
    let sequences: ClosedRange<UInt64>

    var text: String {
        "\(CalendarTime(begun).compact)-\(journal.text)-\(sequences.lowerBound.digits(20))"
            + "-\(sequences.upperBound.digits(20))"
    }

    /// What a file with records of this journal holds, whatever its format was; nil for any other file.
    static func sequences(in name: String, of journal: JournalID) -> ClosedRange<UInt64>? {
        var name = name[...]
        // A manifest stands beside what it speaks of, and is no proof that it is there; but where it has another name
        // because a bucket has that.
        if name.hasPrefix("_") {
            guard name.hasSuffix(ArchiveManifest.uploadedSuffix) else { return nil }
            name = name.dropFirst()
        }
        let parts = name.prefix { $0 != "." }.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == journal.text, parts[2].count == 20, parts[3].count == 20,
            let first = UInt64(parts[2]), let last = UInt64(parts[3]), first <= last
        else { return nil }
        return first...last
    }
}
