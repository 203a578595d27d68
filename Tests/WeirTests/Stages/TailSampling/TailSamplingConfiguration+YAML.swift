@testable import Weir

extension TailSamplingConfiguration {
    /// - Parameter yaml: what stands below the component's id.
    static func read(_ yaml: String) -> (configuration: TailSamplingConfiguration, problems: [String]) {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        let configuration = top.descend(into: root, path: "") { TailSamplingConfiguration(&$0) }.value
        return (
            configuration,
            (reader.diagnostics.entries + top.diagnostics.entries).map { "\($0.description.dropFirst(2))" }
        )
    }

    init(yaml: String) throws {
        let (configuration, problems) = Self.read(yaml)
        guard problems.isEmpty else { throw ConfigError(problems.joined(separator: "; ")) }
        self = configuration
    }

    /// - Parameter policies: of a list in YAML's flow style.
    init(policies: String, _ further: String = "") throws {
        try self.init(yaml: "policies: [ \(policies) ]\n\(further)")
    }
}
