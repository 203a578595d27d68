extension HotTables {
    /// How many spans the tables have that started on the day by their own clocks.
    func spans(on day: Day) throws -> [SpanOrigin: Int] {
        // As the tables have times after 2262.
        let start = Int64(bitPattern: day.start.nanoseconds)
        let query = """
            SELECT s.journal, t.name, count(*) FROM spans s JOIN tenants t ON t.id = s.tenant_id
            WHERE s.start_ns >= \(start) AND s.start_ns < \(start &+ Int64(Day.nanoseconds))
            """
        switch self {
        case .sqlite(let directory):
            return try directory.spans(on: day, "\(query) GROUP BY 1, 2")
        case .postgres(let connection, let schema):
            let session = try PostgresSession.open(connection, schema: schema)
            defer { session.close() }
            // A partition is read from end to end.
            try session.run("SET statement_timeout = '30min'")
            session.maxSilence = .seconds(31 * 60)
            let rows = try session.run(
                """
                \(query) AND s.start_time >= '\(day.text) 00:00:00+00'
                AND s.start_time < '\((day + 1).text) 00:00:00+00' GROUP BY 1, 2
                """)
            var counts: [SpanOrigin: Int] = [:]
            for row in 0..<rows.count {
                let journal = JournalID(value: UInt64(bitPattern: rows.int(row, 0) ?? 0))
                counts[SpanOrigin(journal: journal, tenant: rows.text(row, 1) ?? "")] = Int(rows.int(row, 2) ?? 0)
            }
            return counts
        }
    }

    /// How long an exporter keeps a day, and whether a day waits for its archives; nil for exporters of anything else.
    static func retention(of definition: ComponentDefinition) -> (duration: Duration, waits: Bool)? {
        switch definition.configuration {
        case let configuration as ExporterConfiguration<SQLiteExporter>:
            (
                Retention(configuration.own.retention, classes: configuration.own.retentionClasses).longest,
                configuration.own.waitsForArchive
            )
        case let configuration as ExporterConfiguration<PostgresExporter>:
            (
                Retention(configuration.own.retention, classes: configuration.own.retentionClasses).longest,
                configuration.own.waitsForArchive
            )
        default: nil
        }
    }
}
