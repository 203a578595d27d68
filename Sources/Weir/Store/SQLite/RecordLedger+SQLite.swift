import GRDB

extension RecordLedger {
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

    /// Writes what was added.
    func save(to db: Database, at now: Timestamp) throws {
        for range in changes {
            try db.execute(
                sql: """
                    INSERT INTO ledger (journal, first_sequence, last_sequence, spans, rejected, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (journal, first_sequence) DO UPDATE SET
                    last_sequence = excluded.last_sequence, spans = excluded.spans, rejected = excluded.rejected,
                    updated_at = excluded.updated_at
                    """,
                arguments: [
                    Int64(bitPattern: journal.value), Int64(clamping: range.first), Int64(clamping: range.last),
                    range.spans, range.rejected,
                    now.microseconds,
                ])
        }
    }
}
