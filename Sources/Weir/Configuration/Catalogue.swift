/// The types of components that a configuration may name.
struct Catalogue: Sendable {
    let types: [ComponentType]

    func types(of kind: ComponentKind) -> [ComponentType] {
        types.filter { $0.kind == kind }
    }

    func type(_ name: String, of kind: ComponentKind) -> ComponentType? {
        types.first { $0.kind == kind && ($0.type == name || $0.alias == name) }
    }
}
