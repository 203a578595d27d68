/// The records that came last, one sequence after the other.
struct SequenceRun {
    /// The first of them.
    private(set) var start: UInt64 = 0
    private var last: UInt64 = 0

    mutating func append(_ sequence: UInt64) {
        if sequence != last + 1 { start = sequence }
        last = sequence
    }
}
