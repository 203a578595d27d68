/// The journal's records that rows are of, as far as the ledger needs to know them.
struct SQLiteRecords {
    let journal: JournalID
    /// Whether they come from an archive, after their day was dropped.
    let isRestored: Bool
    /// The last record that may have been stored before now.
    let known: UInt64
    /// For each record, by its sequence: the sequence from which on, up to it, all records were exported.
    private(set) var since: [UInt64: UInt64] = [:]
    /// All that ``since`` mentions lie in it.
    private(set) var sequences: ClosedRange<UInt64> = 0...0

    init(of journal: JournalID, isRestored: Bool = false, known: UInt64 = .max) {
        self.isRestored = isRestored
        self.known = known
        self.journal = journal
    }

    mutating func add(_ sequence: UInt64, since: UInt64) {
        sequences =
            self.since.isEmpty
            ? since...sequence : min(sequences.lowerBound, since)...max(sequences.upperBound, sequence)
        self.since[sequence] = since
    }
}
