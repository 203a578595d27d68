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
}
