/// Which records of a journal a database has: ranges that do not overlap, of which one is made longer with nearly every
/// transaction. So they stay few, whatever the journal's age. It is written in the transaction that stores the records.
struct RecordLedger {
    struct Range: Equatable {
        let first: UInt64
        var last: UInt64
        /// Rows of the records in `spans`.
        var spans: Int
        /// Spans of the records that are in `rejects`.
        var rejected: Int
    }

    let journal: JournalID
    /// In their order.
    private(set) var ranges: [Range]
    private var changed: Set<UInt64> = []
    /// False for records that are restored: whether they are there is asked of the tables themselves.
    private let isHeeded: Bool

    /// For records that are restored.
    static func unheeded(_ journal: JournalID) -> RecordLedger { RecordLedger(journal, [], isHeeded: false) }

    /// - Parameter ranges: those that hold one of the records that will be asked about, or end right before one.
    init(_ journal: JournalID, _ ranges: [Range], isHeeded: Bool = true) {
        self.isHeeded = isHeeded
        self.journal = journal
        self.ranges = ranges
    }

    /// Those that have to be written.
    var changes: [Range] { ranges.filter { changed.contains($0.first) } }

    func has(_ sequence: UInt64) -> Bool {
        ranges.contains { $0.first <= sequence && sequence <= $0.last }
    }

    /// - Parameter known: the last record that may have been stored before now.
    func refuse(_ sequences: some Sequence<UInt64>, after known: UInt64) throws(JournalConflict) {
        guard let sequence = sequences.first(where: { $0 > known && has($0) }) else { return }
        throw JournalConflict(journal: journal, sequence: sequence)
    }

    /// Counts a record in that the ledger has not.
    /// - Parameter since: all records from here to `sequence` are stored, as far as they concern this database. A range
    ///   that ends there or later goes on over them, although it does not know of each.
    mutating func add(_ sequence: UInt64, since: UInt64, spans: Int, rejected: Int) {
        guard isHeeded else { return }
        let next = ranges.firstIndex { $0.first > sequence } ?? ranges.endIndex
        if next > 0, ranges[next - 1].last + 1 >= since {
            // One that goes on over records in between has this one already.
            ranges[next - 1].last = max(ranges[next - 1].last, sequence)
            ranges[next - 1].spans += spans
            ranges[next - 1].rejected += rejected
            changed.insert(ranges[next - 1].first)
        } else {
            ranges.insert(Range(first: sequence, last: sequence, spans: spans, rejected: rejected), at: next)
            changed.insert(sequence)
        }
    }
}
