/// Whose rows a query is about. There is no default: a query that does not say it does not compile.
enum TenantScope: Hashable, Sendable {
    case one(Tenant)
    /// Only for who operates the tables, never for a question that comes from outside.
    case all

    /// What a row has to fulfil; nothing where those of all are wanted. The number is that which the database has for
    /// the tenant: NULL, and with it no row, for one that it does not know.
    func condition(on column: SQLText) -> SQLText {
        switch self {
        case .one(let tenant): " AND \(column) = (SELECT id FROM tenants WHERE name = \(.text(tenant.name)))"
        case .all: ""
        }
    }
}
