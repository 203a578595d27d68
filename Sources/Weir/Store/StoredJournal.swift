/// What the ledger of hot tables has of a journal.
struct StoredJournal: Equatable, Sendable {
    /// A row of the ledger: records without a gap between them.
    struct Run: Equatable, Sendable {
        let journal: JournalID
        let first: UInt64
        let last: UInt64
        let spans: Int
        let rejected: Int
        let updatedAt: Timestamp
    }

    let id: JournalID
    /// From the first record that the tables have of the journal on, they have all up to this one. What is missing
    /// behind it is under way, or an exporter never got it, or it is in the dead letters.
    let floor: UInt64
    /// The highest that they have.
    let lastSequence: UInt64
    let spans: Int
    /// Spans that are in the rejects.
    let rejected: Int
    /// When the newest of them was stored.
    let updatedAt: Timestamp

    /// - Parameter runs: of any number of journals; where they overlap, several files have parts of the same records.
    /// - Returns: by id.
    static func journals(of runs: [Run]) -> [StoredJournal] {
        Dictionary(grouping: runs, by: \.journal).map { StoredJournal($0, $1) }.sorted { $0.id.value < $1.id.value }
    }

    private init(_ id: JournalID, _ runs: [Run]) {
        self.id = id
        let sorted = runs.sorted { $0.first < $1.first }
        var floor = sorted.first?.last ?? 0
        for run in sorted {
            guard run.first <= floor || run.first - 1 == floor else { break }
            floor = max(floor, run.last)
        }
        self.floor = floor
        lastSequence = runs.map(\.last).max() ?? 0
        spans = runs.reduce(0) { $0 + $1.spans }
        rejected = runs.reduce(0) { $0 + $1.rejected }
        updatedAt = runs.map(\.updatedAt).max() ?? Timestamp(nanoseconds: 0)
    }
}
