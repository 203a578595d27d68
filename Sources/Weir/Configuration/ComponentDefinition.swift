/// One component of `receivers`, `processors` or `exporters`.
struct ComponentDefinition: Sendable {
    let id: ComponentID
    /// Of the type that the component's `Configuration` names.
    let configuration: any Configurable
}
