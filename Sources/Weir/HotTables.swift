/// The hot tables that an exporter writes.
enum HotTables {
    case sqlite(SQLiteDirectory)
    case postgres(connection: String, schema: String)

    /// Nil for an exporter that writes none.
    init?(_ exporter: ComponentDefinition) {
        switch exporter.configuration {
        case let configuration as ExporterConfiguration<SQLiteExporter>:
            self = .sqlite(SQLiteDirectory(configuration.own.directory))
        case let configuration as ExporterConfiguration<PostgresExporter>:
            self = .postgres(connection: configuration.own.connection, schema: configuration.own.schema)
        default: return nil
        }
    }
}
