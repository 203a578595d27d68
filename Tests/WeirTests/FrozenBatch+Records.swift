@testable import Weir

extension FrozenBatch {
    /// Of a journal that a test does not care about.
    init(records: [JournalRecord]) {
        self.init(journal: JournalID(value: 7), records: records, recoveredThrough: 0)
    }
}
