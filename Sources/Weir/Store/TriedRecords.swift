/// Up to which record of a journal this process has tried to store.
struct TriedRecords {
    private var journal: JournalID?
    private var last: UInt64 = 0

    /// The last record that may be in the tables: an earlier process stored it, or this one tried to.
    func known(of batch: FrozenBatch) -> UInt64 {
        journal == batch.journal ? max(batch.recoveredThrough, last) : batch.recoveredThrough
    }

    mutating func add(_ batch: FrozenBatch) {
        if journal != batch.journal { (journal, last) = (batch.journal, 0) }
        // Those that come from the dead letters say nothing of the others.
        guard batch.recoveredThrough < .max else { return }
        last = batch.records.reduce(last) { max($0, $1.sequence) }
    }
}
