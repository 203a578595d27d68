import Logging

/// What a component is given beside its configuration.
struct Context: Sendable {
    /// The id under which `collector.yaml` names the component.
    let id: ComponentID
    /// The pipeline that it is of; nil for one that is of none.
    var pipeline: ComponentID?
    /// Writes with the component's id as metadata.
    let logger: Logger
    let metrics: MetricRegistry
    /// Where `sampling` asks whether it is to keep everything.
    var bursts = Bursts()
    /// Where `tail_sampling` tells others what it keeps.
    var keepDecisions = KeepDecisionBoard()
    /// How much each key may still send.
    var requestBuckets = RequestBuckets()
    /// What a processor gets was acknowledged before, so nothing of it can be refused for being too much.
    var isBehindStage = false
    /// What a destination says of a request may be what is encrypted at rest, so nobody writes it down.
    var hidesAnswers = false
    /// Attempts of an exporter that may be under way at once.
    var consumers = Int.max
    /// Whether the hot tables may let go of a day whose time is over.
    var mayDrop: @Sendable (Day) async -> Bool? = { _ in true }
    /// Where the register of erasures is; nil for one who tries components out, and keeps up nothing.
    var erasures: String?
    /// The directories of the pipeline's archives of OTLP.
    var colderArchives: [String] = []
    /// Those that the component's configuration may name.
    var extensions = Extensions()
}
