import Foundation

/// Where stages keep what they left out: one that another pipeline writes to as well would be of use to neither, and an
/// archive would have files in it that are none of its own.
struct StageDirectories {
    private let journal: String
    /// Pipelines, by the directories of their stages.
    private var owners: [String: ComponentID] = [:]
    /// Exporters of all pipelines, which may share one.
    private var exporters: [String: ComponentID] = [:]

    /// - Parameter journal: the directory of all journals, whose pipelines are the directories in it.
    init(journal: String) {
        self.journal = Self.standard(journal)
    }

    /// Records what is wrong with the directory of a pipeline's stage, or with an exporter that has another stage's.
    mutating func add(_ pipeline: PipelineConfiguration, of components: [ComponentDefinition], _ fields: inout Fields) {
        func ownDirectory(of id: ComponentID) -> String? {
            components.first { $0.id == id }?.configuration.ownDirectory
        }
        func refuse(_ id: ComponentID, in list: String, _ directory: String, _ other: String) {
            fields.record(
                line: pipeline.line, path: "service.pipelines.\(pipeline.id).\(list)",
                "found \(id) with the directory \(directory), which \(other) has; wanted one for each")
        }
        for id in pipeline.exporters {
            guard let directory = ownDirectory(of: id) else { continue }
            let path = Self.standard(directory)
            exporters[path] = exporters[path] ?? id
            if let other = owners[path] { refuse(id, in: "exporters", directory, "\(other)") }
        }
        guard let stage = pipeline.stage, let directory = ownDirectory(of: pipeline.processors[stage]) else { return }
        let path = Self.standard(directory)
        let isJournal = path == journal || path.hasPrefix(journal + "/")
        let owner = isJournal ? "service.journal" : exporters[path]?.description
        if let other = owner ?? owners.updateValue(pipeline.id, forKey: path)?.description {
            refuse(pipeline.processors[stage], in: "processors", directory, other)
        }
    }

    private static func standard(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
