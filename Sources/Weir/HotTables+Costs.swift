extension HotTables {
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
