/// The spans of one partition that a file, or what is appended to one, holds: which records of the journal they are of,
/// and how many.
struct ArchivedSpans: Equatable {
    /// Of the first and the last record.
    private(set) var sequences: ClosedRange<UInt64>
    private(set) var records: Int
    private(set) var spans: Int

    init(of sequence: UInt64, spans: Int) {
        sequences = sequence...sequence
        records = 1
        self.spans = spans
    }

    /// Whether `sequence` may come next, so that no record of the partition between first and last is anywhere else.
    /// - Parameter since: every record of the partition from here to `sequence` was exported, and none of them is in
    ///   another file that is published already.
    func canGoOn(with sequence: UInt64, since: UInt64) -> Bool {
        sequences.upperBound < sequence && sequences.upperBound >= since
    }

    mutating func append(_ next: ArchivedSpans) {
        sequences = sequences.lowerBound...next.sequences.upperBound
        records += next.records
        spans += next.spans
    }
}
