/// The keys of `postgres`.
struct PostgresConfiguration: Configurable {
    /// A connection string, URL or keywords. It may hold a password.
    let connection: String
    let schema: String
    let retention: Duration
    let waitsForArchive: Bool

    var traits: ProcessorTraits { .addsUpCosts }

    init(_ fields: inout Fields) throws(ConfigError) {
        connection = fields.string(
            "connection", default: "postgresql:///weir", secret: true,
            "The database, as a URL or as libpq's keywords. It is never shown.")
        if let problem = PostgresConnection.problem(with: connection) {
            fields.reject("connection", "found \(problem), wanted one such as postgresql://user@host/database")
        }
        schema = fields.parsed("schema", default: "weir", "Where the tables are; created where it is missing.") {
            text throws(ConfigError) in
            guard PostgresSession.isName(text) else {
                throw ConfigError(found: "\"\(text)\"", wanted: "a name of lower case letters, digits and _")
            }
            return text
        }
        retention = fields.duration(
            "retention", default: .seconds(30 * 86_400), in: .seconds(86_400)...(.seconds(36_500 * 86_400)),
            "A day that ended so long ago is dropped.")
        waitsForArchive = fields.bool(
            "wait_for_archive", default: true,
            "Whether a day goes only when the archives of the pipeline have its spans; where there are none, it goes.")
    }
}
