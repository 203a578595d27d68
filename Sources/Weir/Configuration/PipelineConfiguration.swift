/// One entry of `service.pipelines`.
struct PipelineConfiguration: Sendable {
    /// Components of one kind that a pipeline may have.
    static let maximumComponents = 100
    static let stageType = "tail_sampling"

    /// `traces` or `traces/name`.
    let id: ComponentID
    /// Where it stands in the file.
    let line: Int
    let receivers: [ComponentID]
    /// In the order in which spans pass them.
    let processors: [ComponentID]
    let exporters: [ComponentID]

    /// Whose spans it takes; nil takes everybody's.
    let tenants: Set<String>?
    /// Whether whose spans it takes, and from where, could be read.
    private let isRouteKnown: Bool

    /// - Parameter file: the file of pipelines that it is in; nil for `collector.yaml`.
    init(_ name: String, _ fields: inout Fields, defined: [Definitions], file: String? = nil) {
        let written = Self.id(name, &fields)
        id = file.map { written.local(to: $0) } ?? written
        let names = fields.parsedList(
            "tenants", count: 0...1_000, "Whose spans the pipeline takes; without, everybody's.", TenantName.check)
        tenants = names.isEmpty ? nil : Set(names)
        line = fields.line
        var lists: [ComponentKind: [ComponentID]] = [:]
        for definitions in defined {
            lists[definitions.kind] = Self.references(to: definitions, &fields)
        }
        receivers = lists[.receiver] ?? []
        processors = lists[.processor] ?? []
        exporters = lists[.exporter] ?? []
        let known = ["tenants"] + defined.map(\.kind.section)
        isRouteKnown =
            fields.keys.allSatisfy(known.contains)
            && !receivers.isEmpty && fields.items("receivers") == receivers.count
            && (fields.node("tenants") == nil || fields.items("tenants") == names.count)
        checkStages(&fields)
    }

    /// Where among the processors the one stands that needs whole traces, and so a journal in front of it and one
    /// behind.
    var stage: Int? { processors.firstIndex { $0.type == Self.stageType } }

    /// What is known of it where its file is in error.
    func missing(of file: String) -> MissingPipeline {
        guard isRouteKnown else {
            return MissingPipeline(file: file, receivers: nil, tenants: .uncertain(tenants ?? []))
        }
        return MissingPipeline(
            file: file, receivers: Set(receivers), tenants: tenants.map { .named($0) } ?? .everybody)
    }

    private func checkStages(_ fields: inout Fields) {
        for id in processors.filter({ $0.type == Self.stageType }).dropFirst() {
            fields.reject("processors", "found \"\(id)\" as a second \(Self.stageType), wanted one at most")
        }
    }

    func ids(of kind: ComponentKind) -> [ComponentID] {
        switch kind {
        case .receiver: receivers
        case .processor: processors
        case .exporter: exporters
        case .extension: []
        }
    }

    private static func id(_ name: String, _ fields: inout Fields) -> ComponentID {
        do throws(ConfigError) {
            let id = try ComponentID(parsing: name)
            guard id.type == "traces" else {
                throw ConfigError(
                    found: "a pipeline for \(id.type)", wanted: "traces or traces/name: Weir carries traces only")
            }
            return id
        } catch {
            fields.reject("", error.message)
            return ComponentID(type: "traces")
        }
    }

    private static func references(to definitions: Definitions, _ fields: inout Fields) -> [ComponentID] {
        let section = definitions.kind.section
        let least = definitions.kind == .processor ? 0 : 1
        var seen: Set<ComponentID> = []
        return fields.parsedList(section, count: least...maximumComponents, help(definitions.kind)) {
            text throws(ConfigError) in
            let id = try ComponentID(parsing: text)
            guard let found = definitions.find(id) else {
                let known = definitions.ids.map(\.description)
                let wanted = known.isEmpty ? "a definition there" : "one of \(known.joined(separator: ", "))"
                let suggestion = suggestion(for: text, among: known)
                throw ConfigError("found \"\(id)\", which \(section) does not define, wanted \(wanted)\(suggestion)")
            }
            guard seen.insert(found).inserted else {
                throw ConfigError(found: "\"\(id)\" a second time", wanted: "it once")
            }
            return found
        }.flatMap { [$0] + definitions.replicas(of: $0) }
    }

    private static func help(_ kind: ComponentKind) -> String {
        switch kind {
        case .receiver: "Ids of the receivers whose spans come in."
        case .processor: "Ids of the processors that spans pass, in this order."
        case .exporter: "Ids of the exporters, each of which gets every span."
        case .extension: "Ids of extensions."
        }
    }
}
