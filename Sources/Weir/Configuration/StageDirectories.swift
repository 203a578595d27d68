import Foundation

/// Where stages keep what they left out: one that another pipeline writes to as well would be of use to neither.
struct StageDirectories {
    private let journal: String
    private var owners: [String: ComponentID] = [:]

    /// - Parameter journal: the directory of all journals, whose pipelines are the directories in it.
    init(journal: String) {
        self.journal = Self.standard(journal)
    }

    /// Records what is wrong with the directory of a pipeline's stage.
    mutating func add(_ pipeline: PipelineConfiguration, of components: [ComponentDefinition], _ fields: inout Fields) {
        func ownDirectory(of id: ComponentID) -> String? {
            components.first { $0.id == id }?.configuration.ownDirectory
        }
        guard let stage = pipeline.stage, let directory = ownDirectory(of: pipeline.processors[stage]) else { return }
        let path = Self.standard(directory)
        let exporter = pipeline.exporters.first { id in ownDirectory(of: id).map(Self.standard) == path }
        let owner = path == journal || path.hasPrefix(journal + "/") ? "service.journal" : exporter?.description
        let other = owner ?? owners.updateValue(pipeline.id, forKey: path)?.description
        guard let other else { return }
        fields.record(
            line: pipeline.line, path: "service.pipelines.\(pipeline.id).processors",
            "found \(pipeline.processors[stage]) with the directory \(directory), which \(other) has; "
                + "wanted one for each")
    }

    private static func standard(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
