/// The section `service`.
struct ServiceConfiguration: Sendable {
    /// Pipelines that a file may define.
    static let maximumPipelines = 100

    var pipelines: [PipelineConfiguration]
    /// Where there are more, a file for each team.
    let pipelinesDirectory: String?
    let telemetry: TelemetryConfiguration
    let journal: JournalConfiguration
    let erasure: ErasureConfiguration
    /// Nil where nothing of the kind is served.
    let operations: OperationsConfiguration?
    let reload: ReloadConfiguration
    /// Of each key that only a start can change, what differs where it says something else.
    let fixed: [String: Int]
    /// How long stopping may take in all.
    let shutdownTimeout: Duration

    init(_ fields: inout Fields, defined: [Definitions]) {
        telemetry = fields.section("telemetry", "How Weir shows what it does.", TelemetryConfiguration.init)
        shutdownTimeout = fields.duration(
            "shutdown_timeout", default: .seconds(60), in: .seconds(1) ... .seconds(3600),
            "How long stopping may take; then the process ends, says what it loses, and fails.")
        journal = fields.section("journal", "What a pipeline holds for its exporters.", JournalConfiguration.init)
        let journals = journal.directory
        erasure = fields.section("erasure", "What was erased, and what is held.") {
            ErasureConfiguration(&$0, besides: journals)
        }
        operations = fields.optionalSection("operations", "Where Weir is operated; without, nowhere.") {
            OperationsConfiguration(&$0)
        }
        reload = fields.section("reload", "When the files are read again without being asked to.") {
            ReloadConfiguration(&$0)
        }
        let fixed = ["telemetry", "shutdown_timeout", "journal", "erasure"].map { ($0, fields.signature(of: [$0])) }
        self.fixed = Dictionary(uniqueKeysWithValues: fixed)
        fields.ignore("extensions", "an extension works where a component names it")
        pipelinesDirectory = fields.optionalString(
            "pipelines_directory", "Where the files of teams are, each with processors, exporters and pipelines.")
        let least = pipelinesDirectory == nil ? 1 : 0
        pipelines = fields.named(
            "pipelines", count: least...Self.maximumPipelines,
            "Which components spans pass, by pipeline: traces or traces/name."
        ) { name, fields in
            PipelineConfiguration(name, &fields, defined: defined)
        }
    }
}
