/// Which records of a journal are stored: ranges that do not overlap, of which one is made longer with nearly every
/// transaction. So they stay few, whatever the journal's age.
struct PostgresLedger {
    struct Range: Equatable {
        let first: UInt64
        var last: UInt64
        /// Rows of the records in `spans`.
        var spans: Int
        /// Spans of the records that are in `rejects`.
        var rejected: Int
    }

    /// In their order.
    private(set) var ranges: [Range]
    private(set) var changed: Set<UInt64> = []

    init(_ ranges: [Range]) {
        self.ranges = ranges
    }

    func has(_ sequence: UInt64) -> Bool {
        ranges.contains { $0.first <= sequence && sequence <= $0.last }
    }

    /// Counts a record in that the ledger has not.
    mutating func add(_ sequence: UInt64, spans: Int, rejected: Int) {
        let next = ranges.firstIndex { $0.first > sequence } ?? ranges.endIndex
        if next > 0, ranges[next - 1].last + 1 == sequence {
            ranges[next - 1].last = sequence
            ranges[next - 1].spans += spans
            ranges[next - 1].rejected += rejected
            changed.insert(ranges[next - 1].first)
        } else {
            ranges.insert(Range(first: sequence, last: sequence, spans: spans, rejected: rejected), at: next)
            changed.insert(sequence)
        }
    }
}

extension PostgresLedger {
    /// Begins a transaction that alone stores records of this journal, and reads what is stored of `sequences`.
    ///
    /// It waits for any other such transaction: for that of an earlier attempt too, whose end nobody heard of.
    static func begin(
        _ journal: JournalID, _ sequences: ClosedRange<UInt64>, on connection: PostgresConnection
    ) throws(PostgresError) -> PostgresLedger {
        let rows = try connection.run(
            """
            BEGIN ISOLATION LEVEL READ COMMITTED;
            SELECT pg_advisory_xact_lock(\(PostgresLock.key("journal \(journal.text)")));
            SELECT first_sequence, last_sequence, spans, rejected FROM ledger
                WHERE journal = \(Int64(bitPattern: journal.value))
                AND first_sequence <= \(sequences.upperBound) AND last_sequence >= \(Int64(sequences.lowerBound) - 1)
                ORDER BY first_sequence
            """)
        return PostgresLedger(
            (0..<rows.count).map { row in
                Range(
                    first: UInt64(rows.int(row, 0) ?? 0), last: UInt64(rows.int(row, 1) ?? 0),
                    spans: Int(rows.int(row, 2) ?? 0), rejected: Int(rows.int(row, 3) ?? 0))
            })
    }

    /// Writes what was added.
    func save(_ journal: JournalID, on connection: PostgresConnection) throws(PostgresError) {
        let rows = ranges.filter { changed.contains($0.first) }.map {
            "(\(Int64(bitPattern: journal.value)), \($0.first), \($0.last), \($0.spans), \($0.rejected))"
        }
        guard !rows.isEmpty else { return }
        try connection.run(
            """
            INSERT INTO ledger (journal, first_sequence, last_sequence, spans, rejected)
            VALUES \(rows.joined(separator: ", "))
            ON CONFLICT (journal, first_sequence) DO UPDATE SET last_sequence = excluded.last_sequence,
                spans = excluded.spans, rejected = excluded.rejected, updated_at = now()
            """)
    }
}
