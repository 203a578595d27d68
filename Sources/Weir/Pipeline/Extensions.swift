/// The extensions of a collector, for the components that name them.
struct Extensions: Sendable {
    private var byID: [ComponentID: any Extension] = [:]

    mutating func add(_ id: ComponentID, _ extension: any Extension) {
        byID[id] = `extension`
    }

    var all: [any Extension] { Array(byID.values) }

    /// - Parameter kind: the protocol of the role with which the component has asked for the id.
    func find<Kind>(_ id: ComponentID, as kind: Kind.Type = Kind.self) throws(ConfigError) -> Kind {
        guard let found = byID[id] as? Kind else {
            throw ConfigError(found: "no extension \(id) that is \(kind)", wanted: "a checked configuration")
        }
        return found
    }
}
