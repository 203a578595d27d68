/// The keys of `sqlite`.
struct SQLiteConfiguration: Configurable {
    /// Where the files are; created where it is missing.
    let directory: String
    let retention: Duration
    let retentionClasses: [Retention.Rule]
    let waitsForArchive: Bool

    var traits: ProcessorTraits { .addsUpCosts }

    var namedTenants: Set<String> { Set(retentionClasses.flatMap(\.tenants)) }

    var tables: String? { directory }

    var upkeep: [String: String] {
        [
            "retention": retention.text, "retention_classes": retentionClasses.text,
            "wait_for_archive": "\(waitsForArchive)",
        ]
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        directory = fields.string("directory", "Where the files are; created where it is missing.")
        let range = Duration.seconds(86_400)...(.seconds(3_650 * 86_400))
        retention = fields.duration(
            "retention", default: .seconds(30 * 86_400), in: range,
            "The file of a day is removed when the day ended that long ago.")
        retentionClasses = Retention.Rule.all(&fields, default: retention, in: range)
        waitsForArchive = fields.bool(
            "wait_for_archive", default: true,
            "Whether a day goes only when the archives of the pipeline have its spans; where there are none, it goes.")
    }
}
