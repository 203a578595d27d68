/// The days for which the tables have partitions, and how they get them: without blocking readers or writers.
struct PostgresPartitions {
    static let tables = ["spans", "llm_usage", "span_rollups"]
    /// The same, as what `pg_inherits.inhparent` is compared with.
    static let parents = tables.map { "'\($0)'::regclass" }.joined(separator: ", ")
    /// Days after today that are made before they begin.
    static let daysAhead = 3

    /// Days for which every table has one.
    private(set) var days: Set<Day> = []

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
        var counts: [Day: Int] = [:]
        for row in 0..<rows.count {
            if let name = PostgresPartitionName(parsing: rows.text(row, 0) ?? "") { counts[name.day, default: 0] += 1 }
        }
        days = Set(counts.filter { $0.value == Self.tables.count }.keys)
    }

    /// Makes those that are missing. Not inside a transaction.
    mutating func make(_ wanted: some Sequence<Day>, on connection: PostgresConnection) throws(PostgresError) {
        let wanted = Set(wanted)
        let made: Void? = try PostgresLock.hold(.partitions, on: connection) { () throws(PostgresError) in
            try load(from: connection)
            for day in wanted.subtracting(days).sorted() {
                let sql = Self.tables.map { Self.creation(of: PostgresPartitionName(table: $0, day: day)) }
                try connection.runBriefly(sql.joined(separator: ";\n"))
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
