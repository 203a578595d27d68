/// The rows that the hot tables get of some journal records, before they go to one database or the other.
struct HotRows: ~Copyable {
    /// In the order of the records and of their spans.
    private(set) var spans: [SpanRow] = []
    private(set) var usage: [UsageRow] = []
    /// Each once.
    private(set) var resources: [DictionaryRow] = []
    private(set) var scopes: [DictionaryRow] = []

    /// Forgets the rows.
    mutating func reset() {}

    /// Adds what a record holds.
    mutating func add(_ batch: borrowing Batch, sequence: UInt64, tenantID: Int32) {}

    /// Nil where the column is NULL. Valid until the rows change.
    func bytes(_ ref: TextRef) -> UnsafeRawBufferPointer? { nil }

    /// What these spans, given by their indices, add to the rollups.
    func rollups(of indices: some Sequence<Int>) -> [RollupRow.Key: RollupRow] { [:] }
}
