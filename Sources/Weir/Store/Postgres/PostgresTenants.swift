/// The numbers of tenants.
struct PostgresTenants {
    private static let maxKnown = 100_000

    private(set) var ids: [String: Int32] = [:]

    /// Gives those of these tenants that have none a number. Not inside a transaction: it would be kept to itself.
    mutating func load(_ names: Set<String>, on connection: PostgresConnection) throws(PostgresError) {
        if ids.count >= Self.maxKnown { ids = [:] }
        for name in names where ids[name] == nil { ids[name] = try makeID(of: name, on: connection) }
    }

    private func makeID(of name: String, on connection: PostgresConnection) throws(PostgresError) -> Int32 {
        // Asked first, and again: an INSERT that conflicts uses up a number, and gives none.
        var id = try find(name, on: connection)
        if id == nil {
            try connection.run("INSERT INTO tenants (name) VALUES ($1) ON CONFLICT DO NOTHING", [.text(name)])
            id = try find(name, on: connection)
        }
        guard let id else { throw PostgresError("tenants forgets a tenant at once") }
        return id
    }

    private func find(_ name: String, on connection: PostgresConnection) throws(PostgresError) -> Int32? {
        let rows = try connection.run("SELECT id FROM tenants WHERE name = $1", [.text(name)])
        return rows.count > 0 ? rows.int(0, 0).map { Int32(truncatingIfNeeded: $0) } : nil
    }
}
