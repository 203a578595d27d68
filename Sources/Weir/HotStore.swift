/// The hot tables that an exporter writes.
enum HotStore {
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

    func reader(_ limit: TimeLimit) -> any StoreReader {
        switch self {
        case .sqlite(let directory): SQLiteReader(directory, limit)
        case .postgres(let connection, let schema): PostgresReader(connection, schema: schema, limit)
        }
    }

    var costRewriter: any CostRewriter {
        switch self {
        case .sqlite(let directory): SQLiteCostRewriter(directory)
        case .postgres(let connection, let schema): PostgresCostRewriter(connection, schema: schema)
        }
    }

    var budgetLog: any BudgetLog {
        switch self {
        case .sqlite(let directory): SQLiteBudgetLog(directory)
        case .postgres(let connection, let schema): PostgresBudgetLog(connection, schema: schema)
        }
    }
}
