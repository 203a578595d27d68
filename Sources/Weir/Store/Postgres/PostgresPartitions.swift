/// The days for which the tables have partitions, and how they get them: without blocking readers or writers.
struct PostgresPartitions {
    static let tables = ["spans", "llm_usage", "span_rollups", "cost_ledger", "cost_rollups"]
    /// The same, as what `pg_inherits.inhparent` is compared with.
    static let parents = tables.map { "'\($0)'::regclass" }.joined(separator: ", ")
    /// Days after today that are made before they begin.
    static let daysAhead = 3

    private var names: Set<PostgresPartitionName> = []
    /// Days for which every table has one.
    private(set) var days: Set<Day> = []
    /// Days for which some tables have none: they were there before a table was.
    var incomplete: Set<Day> { Set(names.map(\.day)).subtracting(days) }

    /// Today and the days after it.
    static func ahead(at now: Timestamp) -> [Day] {
        (0...daysAhead).map { Day(now) + $0 }
    }

    mutating func load(from connection: PostgresConnection) throws(PostgresError) {
        let rows = try connection.run(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE NOT i.inhdetachpending
                AND i.inhparent IN (\(Self.parents))
            """)
        names = Set((0..<rows.count).compactMap { PostgresPartitionName(parsing: rows.text($0, 0) ?? "") })
        days = Set(Dictionary(grouping: names, by: \.day).filter { $0.value.count == Self.tables.count }.keys)
    }

    /// Makes those that are missing. Not inside a transaction.
    mutating func make(_ wanted: some Sequence<Day>, on connection: PostgresConnection) throws(PostgresError) {
        let wanted = Set(wanted)
        let made: Void? = try PostgresLock.hold(.partitions, on: connection) { () throws(PostgresError) in
            try load(from: connection)
            for day in wanted.subtracting(days).sorted() {
                // A day that was there before a table was has some.
                let missing = Self.tables.map { PostgresPartitionName(table: $0, day: day) }.filter {
                    !names.contains($0)
                }
                try connection.runBriefly(missing.map(Self.creation).joined(separator: ";\n"))
                days.insert(day)
            }
        }
        guard made != nil else { throw PostgresError("another process is making partitions") }
    }

    /// ATTACH lets readers and writers of the table go on; `PARTITION OF` would wait for them, and they for it.
    private static func creation(of name: PostgresPartitionName) -> String {
        """
        CREATE TABLE \(name) (LIKE \(name.table)
            INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING CONSTRAINTS);
        ALTER TABLE \(name.table) ATTACH PARTITION \(name)
            FOR VALUES FROM ('\(name.day.text) 00:00:00+00') TO ('\((name.day + 1).text) 00:00:00+00')
        """
    }
}
