extension RecordLedger {
    /// Begins a transaction that alone stores records of this journal, and reads what is stored of `sequences`.
    ///
    /// It waits for any other such transaction: for that of an earlier attempt too, whose end nobody heard of.
    static func begin(
        _ journal: JournalID, _ sequences: ClosedRange<UInt64>, on connection: PostgresConnection
    ) throws(PostgresError) -> RecordLedger {
        try PostgresLock.take(
            "journal \(journal.text)", after: "BEGIN ISOLATION LEVEL READ COMMITTED; ", on: connection)
        let rows = try connection.run(
            """
            SELECT first_sequence, last_sequence, spans, rejected FROM ledger
                WHERE journal = \(Int64(bitPattern: journal.value))
                AND first_sequence <= \(sequences.upperBound)
                AND last_sequence >= \(Int64(clamping: sequences.lowerBound) - 1)
                ORDER BY first_sequence
            """)
        return RecordLedger(
            journal,
            (0..<rows.count).map { row in
                Range(
                    first: UInt64(rows.int(row, 0) ?? 0), last: UInt64(rows.int(row, 1) ?? 0),
                    spans: Int(rows.int(row, 2) ?? 0), rejected: Int(rows.int(row, 3) ?? 0))
            })
    }

    /// Writes what was added.
    func save(on connection: PostgresConnection) throws(PostgresError) {
        let rows = changes.map {
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
