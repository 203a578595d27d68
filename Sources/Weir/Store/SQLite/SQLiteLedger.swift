import GRDB

/// Which records of a journal have their spans of a day in the day's file: ranges that do not overlap.
struct SQLiteLedger {
    struct Range: Equatable {
        let first: UInt64
        var last: UInt64
        /// Rows of the records in the file.
        var spans: Int
        /// Spans of the records that are in `rejects`.
        var rejected: Int
    }

    private let journal: Int64
    /// In their order.
    private(set) var ranges: [Range]
    private var changed: Set<UInt64> = []

    init(_ journal: JournalID, _ ranges: [Range]) {
        self.journal = Int64(bitPattern: journal.value)
        self.ranges = ranges
    }

    /// - Parameter sequences: of the records that will be asked about, and of those that their ranges may go on from.
    init(_ journal: JournalID, _ sequences: ClosedRange<UInt64>, of db: Database) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT first_sequence, last_sequence, spans, rejected FROM ledger
                WHERE journal = ? AND first_sequence <= ? AND last_sequence >= ? ORDER BY first_sequence
                """,
            arguments: [
                Int64(bitPattern: journal.value), Int64(clamping: sequences.upperBound),
                Int64(clamping: sequences.lowerBound) - 1,
            ])
        self.init(
            journal,
            rows.map { row in
                Range(
                    first: UInt64(clamping: row["first_sequence"] as Int64),
                    last: UInt64(clamping: row["last_sequence"] as Int64), spans: row["spans"],
                    rejected: row["rejected"])
            })
    }

    func has(_ sequence: UInt64) -> Bool {
        ranges.contains { $0.first <= sequence && sequence <= $0.last }
    }

    /// Counts a record in that the ledger has not.
    /// - Parameter since: all records from here to `sequence` were exported. So a range that ends there or later may go
    ///   on over them, although they have no spans of this day, and ranges stay few.
    mutating func add(_ sequence: UInt64, since: UInt64, spans: Int, rejected: Int) {
        let next = ranges.firstIndex { $0.first > sequence } ?? ranges.endIndex
        if next > 0, ranges[next - 1].last + 1 >= since {
            ranges[next - 1].last = sequence
            ranges[next - 1].spans += spans
            ranges[next - 1].rejected += rejected
            changed.insert(ranges[next - 1].first)
        } else {
            ranges.insert(Range(first: sequence, last: sequence, spans: spans, rejected: rejected), at: next)
            changed.insert(sequence)
        }
    }

    /// Writes what was added.
    func save(to db: Database, at now: Timestamp) throws {
        for range in ranges where changed.contains(range.first) {
            try db.execute(
                sql: """
                    INSERT INTO ledger (journal, first_sequence, last_sequence, spans, rejected, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (journal, first_sequence) DO UPDATE SET
                    last_sequence = excluded.last_sequence, spans = excluded.spans, rejected = excluded.rejected,
                    updated_at = excluded.updated_at
                    """,
                arguments: [
                    journal, Int64(clamping: range.first), Int64(clamping: range.last), range.spans, range.rejected,
                    now.microseconds,
                ])
        }
    }
}
