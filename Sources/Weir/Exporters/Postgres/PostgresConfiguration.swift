/// The keys of `postgres`.
struct PostgresConfiguration: Configurable {
    /// A connection string, URL or keywords. It may hold a password.
    let connection: String
    let schema: String
    let retention: Duration
    let retentionClasses: [Retention.Rule]
    let waitsForArchive: Bool

    var traits: ProcessorTraits { .addsUpCosts }

    var namedTenants: Set<String> { Set(retentionClasses.flatMap(\.tenants)) }

    var tables: String? { "\(connection) \(schema)" }

    var upkeep: [String: String] {
        [
            "retention": retention.text, "retention_classes": retentionClasses.text,
            "wait_for_archive": "\(waitsForArchive)",
        ]
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        (connection, schema) = fields.postgres(schema: "weir")
        let range = Duration.seconds(86_400)...(.seconds(36_500 * 86_400))
        retention = fields.duration(
            "retention", default: .seconds(30 * 86_400), in: range, "A day that ended so long ago is dropped.")
        retentionClasses = Retention.Rule.all(&fields, default: retention, in: range)
        waitsForArchive = fields.bool(
            "wait_for_archive", default: true,
            "Whether a day goes only when the archives of the pipeline have its spans; where there are none, it goes.")
    }
}
