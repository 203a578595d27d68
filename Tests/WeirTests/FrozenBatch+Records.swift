@testable import Weir

extension FrozenBatch {
    /// Of a journal that a test does not care about.
    init(records: [JournalRecord]) {
        self.init(journal: JournalID(value: 7), records: records, recoveredThrough: 0)
    }

    var spanNames: [String] {
        var names: [String] = []
        var batch = Batch()
        try? forEach(into: &batch) { batch, _ in names += batch.spans.map { batch.text($0.name) } }
        return names
    }
}
