/// One of the sections `receivers`, `processors`, `exporters` and `extensions`, as far as it could be read.
struct Definitions {
    /// The file of pipelines that the definitions are in.
    struct Owner {
        let file: String
        /// Those of `collector.yaml` that it defines anew.
        let overrides: [ComponentID]
        /// What `collector.yaml` defines, which the file may use: one.
        let shared: [Definitions]
    }

    let kind: ComponentKind
    /// Nil for those of `collector.yaml`.
    private let owner: Owner?
    /// Every id that is defined, also where its component is in error: a reference to it is not a second error.
    private(set) var lines: [(id: ComponentID, line: Int)] = []
    private(set) var components: [ComponentDefinition] = []
    /// By the component that they stand beside.
    private var replicas: [ComponentID: [ComponentID]] = [:]

    /// - Parameter least: how many there must be.
    init(
        _ kind: ComponentKind, _ help: String, _ fields: inout Fields, _ catalogue: Catalogue, least: Int = 0,
        of owner: Owner? = nil
    ) {
        self.kind = kind
        self.owner = owner
        let read = fields.named(kind.section, count: least...CollectorConfiguration.maximumComponents, help) {
            name, fields in
            let item = Self.component(kind, name, &fields, catalogue)
            if let id = item?.id, let owner, owner.hides(id) {
                fields.reject("", "is defined in collector.yaml too, wanted another name, or \(id) among overrides")
            }
            return item
        }
        for case .some(let item) in read {
            lines.append((item.id, item.line))
            guard let configuration = item.configuration else { continue }
            var component = ComponentDefinition(
                id: external(item.id), configuration: configuration, fingerprint: item.fingerprint,
                extensions: item.extensions, line: item.line)
            components.append(component)
            for replica in configuration.replicas {
                (component.id, component.configuration) = (
                    external(item.id.replica(replica.name)), replica.configuration
                )
                components.append(component)
                replicas[external(item.id), default: []].append(component.id)
            }
        }
    }

    /// Those that may be named.
    var ids: [ComponentID] { lines.map(\.id) + (owner?.shared.flatMap(\.ids) ?? []) }

    /// What is meant by an id: of the file first, then of `collector.yaml`. Nil where nothing defines it.
    func find(_ id: ComponentID) -> ComponentID? {
        if lines.contains(where: { $0.id == id }) { return external(id) }
        return owner?.shared.lazy.compactMap { $0.find(id) }.first
    }

    /// What stands beside a component that ``find(_:)`` has found.
    func replicas(of id: ComponentID) -> [ComponentID] {
        replicas[id] ?? owner?.shared.flatMap { $0.replicas(of: id) } ?? []
    }

    private func external(_ id: ComponentID) -> ComponentID {
        owner.map { id.local(to: $0.file) } ?? id
    }

    /// Records a warning for each definition that none of the pipelines names.
    func warnOfUnused(in pipelines: [PipelineConfiguration], _ fields: inout Fields) {
        let used = Set(pipelines.flatMap { $0.ids(of: kind) })
        for (id, line) in lines where !used.contains(external(id)) {
            fields.record(.warning, line: line, path: "\(kind.section).\(id)", "is not used by any pipeline")
        }
    }

    /// The same for extensions, which components name. A reference to what is not there, or is something else, is
    /// recorded.
    func check(_ references: [ExtensionReference], _ fields: inout Fields, _ catalogue: Catalogue) {
        for reference in references {
            guard ids.contains(reference.id) else {
                let known = ids.map(\.description)
                let wanted = known.isEmpty ? "a definition there" : "one of \(known.joined(separator: ", "))"
                let suggestion = suggestion(for: reference.id.description, among: known)
                let alternative = reference.alternative.map { ", or \($0)" } ?? ""
                fields.record(
                    line: reference.line, path: reference.path,
                    "found \"\(reference.id)\", which extensions does not define, "
                        + "wanted \(wanted)\(alternative)\(suggestion)")
                continue
            }
            if let type = catalogue.type(reference.id.type, of: .extension), type.role != reference.role {
                fields.record(
                    line: reference.line, path: reference.path,
                    "found \"\(reference.id)\", which is no \(reference.role.rawValue)")
            }
        }
    }

    /// The same for extensions that no component names.
    func warnOfUnused(by references: [ExtensionReference], _ fields: inout Fields, _ catalogue: Catalogue) {
        let used = Set(references.map(\.id))
        for (id, line) in lines where !used.contains(id) && catalogue.type(id.type, of: .extension) != nil {
            fields.record(.warning, line: line, path: "extensions.\(id)", "is not used by any component")
        }
    }

    /// Of extensions: whose spans may come; nil where anybody's may, and where none of them knows clients.
    var clientTenants: Set<String>? {
        var known: Set<String> = []
        for component in components {
            guard let tenants = component.configuration.clientTenants else { return nil }
            known.formUnion(tenants)
        }
        return known.isEmpty ? nil : known.union([Batch.anybody])
    }

    /// Records where something is said of a tenant that no client is of, as where its name is misspelt.
    func noteTenants(besides known: Set<String>?, _ fields: inout Fields) {
        for (id, line) in lines {
            guard let component = components.first(where: { $0.id == external(id) }) else { continue }
            fields.noteUnknown(
                component.configuration.namedTenants, besides: known, line: line, path: "\(kind.section).\(id)")
        }
    }

    private struct Item {
        let id: ComponentID
        let line: Int
        let configuration: (any Configurable)?
        let fingerprint: Int
        let extensions: [ComponentID]
    }

    private static func component(
        _ kind: ComponentKind, _ name: String, _ fields: inout Fields, _ catalogue: Catalogue
    ) -> Item? {
        let id: ComponentID
        do {
            id = try ComponentID(parsing: name)
        } catch {
            fields.reject("", error.message)
            fields.acceptsAnyKey = true
            return nil
        }
        guard let type = catalogue.type(id.type, of: kind) else {
            let known = catalogue.types(of: kind).map(\.type)
            let wanted = known.isEmpty ? "none" : "one of \(known.joined(separator: ", "))"
            let suggestion = suggestion(for: id.type, among: known)
            fields.reject("", "is not a known type of \(kind.rawValue), wanted \(wanted)\(suggestion)")
            fields.acceptsAnyKey = true
            return Item(id: id, line: fields.line, configuration: nil, fingerprint: 0, extensions: [])
        }
        if let note = type.note { fields.record(.note, line: fields.line, path: fields.path, note) }
        let configuration = fields.read(type.configuration)
        return Item(
            id: id, line: fields.line, configuration: configuration, fingerprint: fields.signature(),
            extensions: fields.references.map(\.id))
    }
}

extension Fields {
    mutating func noteUnknown(_ tenants: Set<String>, besides known: Set<String>?, line: Int, path: String) {
        guard let known else { return }
        for tenant in tenants.subtracting(known).sorted() {
            let hint = suggestion(for: tenant, among: known.sorted())
            record(
                .note, line: line, path: path,
                "names the tenant \(tenant.quotedForMessage), and no client is of that\(hint)")
        }
    }
}

extension Definitions.Owner {
    /// Whether a definition of the file would stand in front of one of `collector.yaml`, and the file does not say so.
    fileprivate func hides(_ id: ComponentID) -> Bool {
        shared.contains { $0.ids.contains(id) } && !overrides.contains(id)
    }
}
