/// Records that are not there, or that an exporter did not get. Said in the log, in a metric and by `/healthz`.
struct JournalGap: Equatable, Sendable {
    enum Reason: String, Sendable, CaseIterable {
        /// The bytes of these records are not what was written.
        case damaged
        /// The file that they were in is not there.
        case missing
        /// The journal was full, and the exporter says `on_full: skip`.
        case skipped
        /// The key that they were encrypted with was destroyed, or they were changed.
        case destroyed
        /// The destination does not take them, and of the tenant's dead letters or parked records there are as many as
        /// there may be.
        case overflow
    }

    let reason: Reason
    let sequences: ClosedRange<UInt64>
    /// Nil where nobody knows.
    let spans: Int?
    /// Nil where no exporter gets them.
    var exporter: String?
    /// Only this tenant's records are meant.
    var tenant: String?
    /// How many of the sequences are meant; nil for all.
    var records: Int?

    /// Records that are meant.
    var count: Int { records ?? Int(clamping: sequences.upperBound - sequences.lowerBound + 1) }
}
