/// What a database holds of Weir's, for a person who operates it.
struct PostgresStatus: Sendable {
    struct Partition: Equatable, Sendable {
        let table: String
        let day: Day
        /// As the last vacuum or analyze counted; nil before the first.
        let rowsEstimate: Int?
        /// With indexes and what is stored out of line.
        let bytes: Int
    }

    let migrations: PostgresMigrations.Status
    /// By table and day.
    let partitions: [Partition]
    /// By id.
    let journals: [StoredJournal]
    let rejects: Int
    /// Of the whole database.
    let databaseBytes: Int

    /// Throws where the tables are missing, or not those of this Weir.
    init(of connection: PostgresConnection) throws(PostgresError) {
        migrations = try PostgresMigrations.status(on: connection)
        guard migrations.applied > 0 else { throw PostgresError("the schema has no tables of Weir") }
        partitions = try Self.partitions(of: connection)
        journals = try Self.journals(of: connection)
        let rows = try connection.run(
            "SELECT (SELECT count(*) FROM rejects), pg_database_size(current_database())")
        rejects = Int(rows.int(0, 0) ?? 0)
        databaseBytes = Int(rows.int(0, 1) ?? 0)
    }

    private static func partitions(of connection: PostgresConnection) throws(PostgresError) -> [Partition] {
        let rows = try connection.run(
            """
            SELECT c.relname, nullif(c.reltuples, -1)::bigint, pg_total_relation_size(c.oid)
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent IN (\(PostgresPartitions.parents)) ORDER BY c.relname
            """)
        return (0..<rows.count).compactMap { row in
            PostgresPartitionName(parsing: rows.text(row, 0) ?? "").map { name in
                Partition(
                    table: name.table, day: name.day, rowsEstimate: rows.int(row, 1).map { Int($0) },
                    bytes: Int(rows.int(row, 2) ?? 0))
            }
        }
    }

    private static func journals(of connection: PostgresConnection) throws(PostgresError) -> [StoredJournal] {
        let rows = try connection.run(
            """
            SELECT journal, first_sequence, last_sequence, spans, rejected,
                CAST(extract(epoch FROM updated_at) * 1000000 AS bigint)
            FROM ledger
            """)
        return StoredJournal.journals(
            of: (0..<rows.count).map { row in
                StoredJournal.Run(
                    journal: JournalID(value: UInt64(bitPattern: rows.int(row, 0) ?? 0)),
                    first: UInt64(clamping: rows.int(row, 1) ?? 0), last: UInt64(clamping: rows.int(row, 2) ?? 0),
                    spans: Int(rows.int(row, 3) ?? 0), rejected: Int(rows.int(row, 4) ?? 0),
                    updatedAt: Timestamp(nanoseconds: UInt64(clamping: rows.int(row, 5) ?? 0) * 1_000))
            })
    }
}
