/// The section `service`.
struct ServiceConfiguration: Sendable {
    /// Pipelines that a file may define.
    static let maximumPipelines = 100

    let pipelines: [PipelineConfiguration]
    let telemetry: TelemetryConfiguration
    let journal: JournalConfiguration

    init(_ fields: inout Fields, defined: [Definitions]) {
        telemetry = fields.section("telemetry", "How Weir shows what it does.", TelemetryConfiguration.init)
        journal = fields.section("journal", "What a pipeline holds for its exporters.", JournalConfiguration.init)
        pipelines = fields.named(
            "pipelines", count: 1...Self.maximumPipelines,
            "Which components spans pass, by pipeline: traces or traces/name."
        ) { name, fields in
            PipelineConfiguration(name, &fields, defined: defined)
        }
    }
}
