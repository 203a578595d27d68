/// The spans of one partition that a file, or what is appended to one, holds: which records of the journal they are of,
/// and how many.
struct ArchivedSpans: Equatable {
    /// Of the first and the last record.
    private(set) var sequences: ClosedRange<UInt64>
    private(set) var records: Int
    private(set) var spans: Int
    /// When the spans started, in nanoseconds since 1970; nil where nobody looked.
    private(set) var times: ClosedRange<UInt64>?

    init(of sequence: UInt64, spans: Int, times: ClosedRange<UInt64>? = nil) {
        self.init(of: sequence...sequence, records: 1, spans: spans, times: times)
    }

    init(of sequences: ClosedRange<UInt64>, records: Int, spans: Int, times: ClosedRange<UInt64>?) {
        self.sequences = sequences
        self.records = records
        self.spans = spans
        self.times = times
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
        times =
            times.map { own in
                next.times.map { min(own.lowerBound, $0.lowerBound)...max(own.upperBound, $0.upperBound) } ?? own
            } ?? next.times
    }
}
