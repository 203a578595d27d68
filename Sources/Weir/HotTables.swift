import Logging

/// Hot tables that an exporter writes.
enum HotTables {
    case sqlite(SQLiteDirectory)
    case postgres(connection: String, schema: String)

    /// Nil for exporters of anything else.
    init?(_ definition: ComponentDefinition) {
        switch definition.configuration {
        case let configuration as ExporterConfiguration<SQLiteExporter>:
            self = .sqlite(SQLiteDirectory(configuration.own.directory))
        case let configuration as ExporterConfiguration<PostgresExporter>:
            self = .postgres(connection: configuration.own.connection, schema: configuration.own.schema)
        default: return nil
        }
    }

    func traces(of matcher: SubjectMatcher, at now: Timestamp) throws -> Set<TraceID> {
        switch self {
        case .sqlite(let directory): try SQLiteErasure(directory: directory).traces(of: matcher, at: now)
        case .postgres(let connection, let schema):
            try PostgresErasure(PostgresSession.open(connection, schema: schema), matcher).traces()
        }
    }

    func erase(
        _ matcher: SubjectMatcher, _ traces: Set<TraceID>, rewrites: Bool, at now: Timestamp
    ) throws -> ErasedRows {
        switch self {
        case .sqlite(let directory):
            try SQLiteErasure(directory: directory).erase(matcher, traces: traces, at: now)
        case .postgres(let connection, let schema):
            try PostgresErasure(PostgresSession.open(connection, schema: schema), matcher)
                .erase(traces, rewrites: rewrites)
        }
    }

    // MARK: Restoring

    /// The records of a journal that the tables have spans of which started in an hour.
    /// - Parameter day: on which the tables have them, where that is not the hour's.
    func sequences(
        of journal: JournalID, startedIn hour: Int, on day: Day? = nil, at now: Timestamp
    ) throws -> Set<UInt64> {
        let day = day ?? Day(number: hour / 24)
        // As the tables have times after 2262.
        let start = Int64(bitPattern: UInt64(hour) &* 3_600_000_000_000)
        let condition = "journal = \(Int64(bitPattern: journal.value)) AND start_ns >= \(start)"
        let query =
            "SELECT DISTINCT sequence FROM spans WHERE \(condition) AND start_ns < \(start &+ 3_600_000_000_000)"
        switch self {
        case .sqlite(let directory):
            guard Directory.has(directory.path(of: day)) else { return [] }
            return try directory.sequences(on: day, query)
        case .postgres(let connection, let schema):
            let session = try PostgresSession.open(connection, schema: schema)
            try PostgresMigrations.apply(on: session)
            let rows = try session.run(
                "\(query) AND start_time >= '\(day.text) 00:00:00+00' AND start_time < '\((day + 1).text) 00:00:00+00'")
            return Set((0..<rows.count).compactMap { rows.int($0, 0).map { UInt64(bitPattern: $0) } })
        }
    }

    /// The last record of a journal that an exporter has stored in the tables; nil where there is none. Those behind it
    /// may still be to come.
    func lastSequence(of journal: JournalID) throws -> UInt64? {
        let query = "SELECT max(last_sequence) FROM ledger WHERE journal = \(Int64(bitPattern: journal.value))"
        switch self {
        case .sqlite(let directory):
            // Of a day to which nothing of the journal came there is no number.
            let query = "SELECT coalesce((\(query)), 0)"
            return try directory.days().flatMap { try directory.sequences(on: $0, query) }.filter { $0 > 0 }.max()
        case .postgres(let connection, let schema):
            let session = try PostgresSession.open(connection, schema: schema)
            try PostgresMigrations.apply(on: session)
            return try session.run(query).int(0, 0).map { UInt64(clamping: $0) }
        }
    }

    /// Stores records that the tables do not have.
    func restore(_ batch: FrozenBatch, at now: Timestamp) throws {
        switch self {
        case .sqlite(let directory):
            let logger = Logger(label: "weir") { _ in SwiftLogNoOpLogHandler() }
            // Whoever restores a day wants it, however old it is.
            var store = SQLiteStore(in: directory, Retention(.seconds(Int64.max / 4_000_000_000)), logger)
            defer { store.close() }
            var rows = HotRows()
            var records = SQLiteRecords(of: batch.journal, isRestored: true)
            var decoded = Batch(decodedLimit: .max)
            try batch.forEach(into: &decoded) { decoded, record in
                records.add(record.sequence, since: record.sequence)
                rows.add(
                    decoded, sequence: record.sequence, tenantID: try store.tenantID(of: record.tenant, at: now))
            }
            var counts = SQLiteCounts()
            try store.write(rows, of: records, at: now, overBy: now, &counts) { _ in [] }
        case .postgres(let connection, let schema):
            let session = try PostgresSession.open(connection, schema: schema)
            var writer = try PostgresWriter(session, nil)
            _ = try writer.store(batch, at: now)
        }
    }
}
