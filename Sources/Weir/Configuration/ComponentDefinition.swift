/// One component of `receivers`, `processors`, `exporters` or `extensions`.
struct ComponentDefinition: Sendable {
    let id: ComponentID
    /// Of the type that the component's `Configuration` names.
    let configuration: any Configurable
}
