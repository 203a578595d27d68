/// One component of `receivers`, `processors`, `exporters` or `extensions`.
struct ComponentDefinition: Sendable {
    var id: ComponentID
    /// Of the type that the component's `Configuration` names.
    var configuration: any Configurable
    /// Differs where anything that was read for the configuration differs: its keys, and the files that they name.
    var fingerprint = 0
    /// The extensions that it names.
    var extensions: [ComponentID] = []
    /// Where it stands in its file.
    var line: Int?
}
