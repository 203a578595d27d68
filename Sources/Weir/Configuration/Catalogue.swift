/// What a component does in a pipeline.
enum ComponentKind: String, Sendable, CaseIterable {
    case receiver
    case processor
    case exporter

    /// The top-level key under which such components are defined.
    var section: String { rawValue + "s" }
}

/// A type of component, as far as the configuration needs to know it.
struct ComponentType: Sendable {
    let kind: ComponentKind
    /// The word in front of the slash of a component id.
    let type: String
    /// One line for `weir components`.
    let help: String
    /// What `weir check` says where the component is used.
    let note: String?
    let configuration: any Configurable.Type

    /// Every key that the component reads.
    var fields: [FieldDescription] {
        Fields.documenting { fields in _ = fields.read(configuration) }
    }
}

/// The types of components that a configuration may name.
struct Catalogue: Sendable {
    let types: [ComponentType]

    func types(of kind: ComponentKind) -> [ComponentType] {
        types.filter { $0.kind == kind }
    }

    func type(_ name: String, of kind: ComponentKind) -> ComponentType? {
        types.first { $0.kind == kind && $0.type == name }
    }
}
