import Logging

@testable import Weir

/// A processor as a file describes it.
struct ProcessorFixture<P: Processor> {
    let processor: P
    let metrics = MetricRegistry()

    /// - Parameter yaml: what stands below the component's id.
    init(_ yaml: String, bursts: Bursts = Bursts()) throws {
        let (configuration, problems) = Self.read(yaml)
        guard let configuration, problems.isEmpty else { throw ConfigError(problems.joined(separator: "; ")) }
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        processor = try P(
            configuration,
            Context(id: ComponentID(type: P.type, name: "test"), logger: logger, metrics: metrics, bursts: bursts))
    }

    /// What is wrong with a configuration, as `LINE: KEY: MESSAGE`.
    static func problems(_ yaml: String) -> [String] {
        read(yaml).problems
    }

    private static func read(_ yaml: String) -> (configuration: P.Configuration?, problems: [String]) {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        let configuration = top.descend(into: root, path: "") { $0.read(P.Configuration.self) }.value
        return (
            configuration,
            (reader.diagnostics.entries + top.diagnostics.entries).map { "\($0.description.dropFirst(2))" }
        )
    }
}
