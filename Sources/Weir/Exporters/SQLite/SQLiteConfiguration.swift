/// The keys of `sqlite`.
struct SQLiteConfiguration: Configurable {
    /// Where the files are; created where it is missing.
    let directory: String
    let retention: Duration

    var traits: ProcessorTraits { .addsUpCosts }

    init(_ fields: inout Fields) throws(ConfigError) {
        directory = fields.string("directory", "Where the files are; created where it is missing.")
        retention = fields.duration(
            "retention", default: .seconds(30 * 86_400), in: .seconds(86_400)...(.seconds(3_650 * 86_400)),
            "The file of a day is removed when the day ended that long ago.")
    }
}
