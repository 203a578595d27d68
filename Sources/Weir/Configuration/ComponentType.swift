/// A type of component, as far as the configuration needs to know it.
struct ComponentType: Sendable {
    let kind: ComponentKind
    /// The word in front of the slash of a component id.
    let type: String
    /// Another word for the same.
    var alias: String?
    /// One line for `weir components`.
    let help: String
    /// What `weir check` says where the component is used.
    let note: String?
    let configuration: any Configurable.Type
    /// What those that name an extension use it for; nil for other components.
    var role: ExtensionRole?

    /// Every key that the component reads.
    var fields: [FieldDescription] {
        Fields.documenting { fields in _ = fields.read(configuration) }
    }
}
