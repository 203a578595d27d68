/// The getters of everything that is kept in PostgreSQL.
extension Fields {
    /// The database, and where in it the tables are.
    /// - Parameter schema: where that is by default.
    mutating func postgres(schema: String) -> (connection: String, schema: String) {
        let connection = string(
            "connection", default: "postgresql:///weir", secret: true,
            "The database, as a URL or as libpq's keywords. It is never shown.")
        if let problem = PostgresConnection.problem(with: connection) {
            reject("connection", "found \(problem), wanted one such as postgresql://user@host/database")
        }
        let schema = parsed("schema", default: schema, "Where the tables are; created where it is missing.") {
            text throws(ConfigError) in
            guard PostgresSession.isName(text) else {
                throw ConfigError(found: "\"\(text)\"", wanted: "a name of lower case letters, digits and _")
            }
            return text
        }
        return (connection, schema)
    }
}
