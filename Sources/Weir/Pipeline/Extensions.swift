/// The extensions of a collector, for the components that name them.
struct Extensions: Sendable {
    private struct Entry {
        let fingerprint: Int
        let shared: any Extension
    }

    private var byID: [ComponentID: Entry] = [:]

    mutating func add(_ definition: ComponentDefinition, _ shared: any Extension) {
        byID[definition.id] = Entry(fingerprint: definition.fingerprint, shared: shared)
    }

    var all: [any Extension] { byID.values.map(\.shared) }

    /// - Parameter kind: the protocol of the role with which the component has asked for the id.
    func find<Kind>(_ id: ComponentID, as kind: Kind.Type = Kind.self) throws(ConfigError) -> Kind {
        guard let found = byID[id]?.shared as? Kind else {
            throw ConfigError(found: "no extension \(id) that is \(kind)", wanted: "a checked configuration")
        }
        return found
    }

    /// The one of this id that was made for the same configuration.
    func shared(_ id: ComponentID, fingerprint: Int) -> (any Extension)? {
        byID[id].flatMap { $0.fingerprint == fingerprint ? $0.shared : nil }
    }

    /// Those that are not among `others`.
    func replaced(by others: Extensions) -> [any Extension] {
        byID.filter { others.shared($0.key, fingerprint: $0.value.fingerprint) == nil }.map(\.value.shared)
    }
}
