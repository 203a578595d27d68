import Logging

/// What a component is given beside its configuration.
struct Context: Sendable {
    /// The id under which `collector.yaml` names the component.
    let id: ComponentID
    /// Writes with the component's id as metadata.
    let logger: Logger
    let metrics: MetricRegistry
    /// Where `sampling` asks whether it is to keep everything.
    var bursts = Bursts()
    /// Those that the component's configuration may name.
    var extensions = Extensions()
}
