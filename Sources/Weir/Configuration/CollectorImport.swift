import Yams

/// Turns the configuration of an OpenTelemetry Collector into one of Weir's: keeps what maps, and says of everything
/// else why it does not and what is nearest.
///
/// What maps is what Weir's own reader takes: the same getters that read a configuration read this one, and what they
/// refuse is left out.
struct CollectorImport {
    /// Each time a key is left out, others may turn out to be wrong without it.
    private static let maximumRounds = 20

    /// What was left out or changed, and what is still wrong.
    private(set) var diagnostics: Diagnostics
    private(set) var root: ConfigNode?
    private let catalogue: Catalogue

    /// Values that must be given by hand before Weir takes the file.
    private(set) var isIncomplete = false

    init(_ text: String, file: String, catalogue: Catalogue) {
        self.catalogue = catalogue
        var reader = YAMLReader(keepingReferencesOf: file)
        root = reader.read(text)
        diagnostics = reader.diagnostics
        guard case .mapping? = root?.content, !diagnostics.hasErrors else {
            if !diagnostics.hasErrors { diagnostics.add(.error, line: nil, path: "", "found no mapping, wanted one") }
            isIncomplete = true
            root = nil
            return
        }
        keepKnownSections()
        keepKnownComponents()
        keepPipelinesOfTraces()
        keepUsedComponents()
        keepWhatIsRead()
    }

    /// The new file.
    func yaml() throws -> String {
        guard let root else { return "" }
        return try Yams.serialize(node: Self.yamlNode(root), width: -1, allowUnicode: true)
    }

    // MARK: Whole sections and components

    /// Beside what the Collector has, Weir's own keys: a file may have been worked on already.
    private static let keptOfService = [
        "pipelines", "telemetry", "journal", "shutdown_timeout", "erasure", "operations", "reload",
        "pipelines_directory",
    ]

    private mutating func keepKnownSections() {
        let known = ComponentKind.allCases.map(\.section) + ["service"]
        for entry in root?.entries ?? [] where !known.contains(entry.key) {
            leaveOut([entry.key], CollectorCounterparts.section(entry.key))
        }
        for key in root?["service"]?.entries.map(\.key) ?? [] where !Self.keptOfService.contains(key) {
            // Extensions work where a component names them.
            if key == "extensions" {
                remove(["service", key])
            } else {
                leaveOut(["service", key], "Weir has no such key")
            }
        }
    }

    private mutating func keepKnownComponents() {
        for kind in ComponentKind.allCases {
            for id in root?[kind.section]?.entries.map(\.key) ?? [] {
                let type = id.prefix { $0 != "/" }
                if let reason = CollectorCounterparts.reason(String(type), kind) {
                    leaveOut([kind.section, id], reason)
                } else if catalogue.type(String(type), of: kind) == nil {
                    leaveOut([kind.section, id], "Weir has no \(kind.rawValue) of this type")
                }
            }
        }
    }

    private mutating func keepPipelinesOfTraces() {
        for pipeline in root?["service"]?["pipelines"]?.entries ?? [] {
            let path = ["service", "pipelines", pipeline.key]
            guard pipeline.key == "traces" || pipeline.key.hasPrefix("traces/") else {
                leaveOut(path, "Weir takes traces")
                continue
            }
            for kind in [ComponentKind.receiver, .processor, .exporter] {
                guard case .sequence(let items)? = pipeline.value[kind.section]?.content else { continue }
                let defined = root?[kind.section]?.entries.map(\.key) ?? []
                let kept = items.filter { item in item.text.map { defined.contains($0) } ?? true }
                guard kept.count < items.count else { continue }
                replace(path + [kind.section], .sequence(kept))
                if kept.isEmpty, kind != .processor {
                    leaveOut(path, "none of its \(kind.section) is left")
                    break
                }
            }
        }
    }

    private mutating func keepUsedComponents() {
        let pipelines = root?["service"]?["pipelines"]?.entries ?? []
        for kind in [ComponentKind.receiver, .processor, .exporter] {
            let used = Set(pipelines.flatMap { $0.value[kind.section]?.items.compactMap(\.text) ?? [] })
            for id in root?[kind.section]?.entries.map(\.key) ?? [] where !used.contains(id) {
                leaveOut([kind.section, id], "no pipeline of traces that is left uses it")
            }
        }
        for kind in ComponentKind.allCases where root?[kind.section]?.entries.isEmpty == true { remove([kind.section]) }
    }

    // MARK: Keys

    private mutating func keepWhatIsRead() {
        for _ in 0..<Self.maximumRounds {
            guard let root else { return }
            var top = Fields([], file: diagnostics.file)
            _ = top.descend(into: root, path: "") { [catalogue] fields in
                _ = CollectorConfiguration(&fields, environment: [:], catalogue: catalogue)
            }
            let problems = top.diagnostics.entries.filter { !isReference($0) }
            // All places at first: with what goes from a list, what stands behind it gets another.
            let wrong = problems.filter { $0.severity == .error }.compactMap { problem in
                (place(of: problem.path) ?? item(without: problem)).map { (place: $0, message: problem.message) }
            }
            var gone: [[String]] = []
            // From the end, so that what goes from a list moves nothing that is looked at yet.
            for (place, message) in wrong.reversed() where isKey(place) {
                let whole = Self.policy(around: place) ?? place
                guard !gone.contains(where: { whole.starts(with: $0) }) else { continue }
                let reason = message.hasPrefix("is not a known key") ? "Weir has no such key" : message
                let part = whole == place ? "" : "its \(Self.path(place.dropFirst(whole.count))): "
                leaveOut(whole, part + (CollectorCounterparts.key(place) ?? reason))
                isIncomplete = isIncomplete || Self.hides(place)
                gone.append(whole)
            }
            if !gone.isEmpty { continue }
            for problem in problems {
                isIncomplete = isIncomplete || problem.severity == .error
                diagnostics.add(problem.severity, line: problem.line, path: problem.path, problem.message)
            }
            return
        }
        isIncomplete = true
        diagnostics.add(.error, line: nil, path: "", "is still wrong after \(Self.maximumRounds) rounds")
    }

    /// Whether something there hashes, masks or takes out what would go on as it is without it.
    private static func hides(_ place: [String]) -> Bool {
        guard place.count > 1, place[0] == "processors" else { return false }
        return place[1].prefix { $0 != "/" } == "redaction" || place.contains("actions") || place.contains("attributes")
    }

    /// The policy of `tail_sampling` that a place is in. Without one of its parts it would keep, or drop, other traces.
    private static func policy(around place: [String]) -> [String]? {
        guard place.count > 4, place[0] == "processors", place[1].prefix(while: { $0 != "/" }) == "tail_sampling",
            place[2] == "policies"
        else { return nil }
        return Array(place.prefix(4))
    }

    /// The variable of the environment may hold what is wanted.
    private func isReference(_ problem: Diagnostic) -> Bool {
        guard let place = place(of: problem.path), case .scalar(let text)? = node(place)?.content else { return false }
        return text.isExpanded
    }

    /// Without a pipeline or component nothing is left, and without an endpoint it would be another one: those stay,
    /// and the author is told.
    private func isKey(_ place: [String]) -> Bool {
        guard place.last != "endpoint" else { return false }
        return place.first == "service"
            ? place.count > 3 || place.contains("telemetry") && place.count > 2 : place.count > 2
    }

    /// The item of a list that lacks a key which was left out, or never there: without it the item says nothing.
    private func item(without problem: Diagnostic) -> [String]? {
        guard problem.message.hasPrefix("is missing"), let dot = problem.path.lastIndex(of: "."),
            let item = place(of: String(problem.path[..<dot])), item.last?.hasPrefix("[") == true
        else { return nil }
        return item
    }

    /// Where the node stands that a problem is about; nil where there is none.
    private func place(of path: String) -> [String]? {
        guard let root else { return nil }
        var rest = path[...]
        var place: [String] = []
        var node = root
        while !rest.isEmpty {
            if rest.first == "." { rest = rest.dropFirst() }
            let step: (key: String, node: ConfigNode)?
            if rest.first == "[" {
                let key = rest.prefix { $0 != "]" } + "]"
                let index = Int(key.dropFirst().dropLast()) ?? 0
                step = index < node.items.count ? (String(key), node.items[index]) : nil
            } else {
                step = node.entries.first { entry in
                    guard rest.hasPrefix(entry.key) else { return false }
                    let next = rest.dropFirst(entry.key.count).first
                    return next == nil || next == "." || next == "["
                }.map { ($0.key, $0.value) }
            }
            guard let step else { return nil }
            place.append(step.key)
            rest = rest.dropFirst(step.key.count)
            node = step.node
        }
        return place.isEmpty ? nil : place
    }

    // MARK: Changing

    private func node(_ place: [String]) -> ConfigNode? {
        place.reduce(root) { node, key in node?[key] }
    }

    private mutating func leaveOut(_ place: [String], _ reason: String) {
        guard let node = node(place) else { return }
        diagnostics.add(.warning, line: node.line, path: Self.path(place[...]), "is left out: \(reason)")
        remove(place)
    }

    private static func path(_ place: ArraySlice<String>) -> String {
        place.dropFirst().reduce(place.first ?? "") { $1.hasPrefix("[") ? $0 + $1 : "\($0).\($1)" }
    }

    private mutating func remove(_ place: [String]) {
        root = root?.changing(place[...]) { _ in nil }
    }

    private mutating func replace(_ place: [String], _ content: ConfigNode.Content) {
        root = root?.changing(place[...]) { ConfigNode(line: $0.line, content: content) }
    }

    /// The Collector takes `${NAME}` for `${env:NAME}`.
    private static func withScheme(_ text: String) -> String {
        var parts = text.split(separator: "${", omittingEmptySubsequences: false).map(String.init)
        for index in parts.indices.dropFirst() {
            let name = parts[index].prefix { $0 != "}" }
            if Substitution.isName(name), !parts[index - 1].hasSuffix("$") { parts[index] = "env:" + parts[index] }
        }
        return parts.joined(separator: "${")
    }

    private static func yamlNode(_ node: ConfigNode) -> Node {
        switch node.content {
        case .scalar(let text):
            let style: Node.Scalar.Style = text.isQuoted ? .doubleQuoted : .plain
            return .scalar(Node.Scalar(text.isNull ? "null" : withScheme(text.text), .implicit, style))
        case .sequence(let items):
            let nodes = items.map { yamlNode($0) }
            return .sequence(Node.Sequence(nodes, .implicit, nodes.isEmpty ? .flow : .block))
        case .mapping(let entries):
            let pairs = entries.map { entry -> (Node, Node) in
                (Node.scalar(Node.Scalar(entry.key)), yamlNode(entry.value))
            }
            return .mapping(Node.Mapping(pairs, .implicit, pairs.isEmpty ? .flow : .block))
        case .unreadable: return .mapping(Node.Mapping([], .implicit, .flow))
        }
    }
}

extension ConfigNode {
    fileprivate var entries: [Entry] {
        if case .mapping(let entries) = content { entries } else { [] }
    }

    fileprivate var items: [ConfigNode] {
        if case .sequence(let items) = content { items } else { [] }
    }

    fileprivate var text: String? {
        if case .scalar(let text) = content { text.text } else { nil }
    }

    /// By key, or by `[index]`.
    fileprivate subscript(key: String) -> ConfigNode? {
        guard key.hasPrefix("[") else { return entries.first { $0.key == key }?.value }
        return Int(key.dropFirst().dropLast()).flatMap { $0 < items.count ? items[$0] : nil }
    }

    /// The same with another node in a place; without it where `change` says nil.
    fileprivate func changing(_ place: ArraySlice<String>, _ change: (ConfigNode) -> ConfigNode?) -> ConfigNode? {
        guard let key = place.first else { return change(self) }
        switch content {
        case .mapping(let entries):
            let changed = entries.compactMap { entry -> Entry? in
                guard entry.key == key else { return entry }
                return entry.value.changing(place.dropFirst(), change).map { Entry(key: entry.key, value: $0) }
            }
            return ConfigNode(line: line, content: .mapping(changed))
        case .sequence(let items):
            let changed = items.enumerated().compactMap { index, item in
                "[\(index)]" == key ? item.changing(place.dropFirst(), change) : item
            }
            return ConfigNode(line: line, content: .sequence(changed))
        case .scalar, .unreadable: return self
        }
    }
}
