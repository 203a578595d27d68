import Foundation

/// What is one's alone, whichever pipelines it stands in.
///
/// Where stages keep what they left out: one that another pipeline writes to as well would be of use to neither, and an
/// archive would have files in it that are none of its own. And names of budgets in their tables: of two with one name
/// only the first that is used up would be said. And when rows of tables go, which several may write: the shortest time
/// would hold for all.
struct PipelineClaims {
    private struct NameInTables: Hashable {
        let name: String
        let tables: String
    }

    private let journal: String
    /// Pipelines, by the directories of their stages.
    private var owners: [String: ComponentID] = [:]
    /// Processors.
    private var budgets: [NameInTables: ComponentID] = [:]
    /// Exporters of all pipelines, which may share one.
    private var exporters: [String: ComponentID] = [:]
    /// The first exporter of each tables.
    private var keepers: [String: ComponentDefinition] = [:]

    /// - Parameter journal: the directory of all journals, whose pipelines are the directories in it.
    init(journal: String) {
        self.journal = Self.standard(journal)
    }

    /// What `collector.yaml` defines says for how long rows are kept, also where only files of teams use it.
    mutating func reserveTables(of exporters: [ComponentDefinition]) {
        for exporter in exporters {
            guard let tables = exporter.configuration.tables.map(Self.standard) else { continue }
            keepers[tables] = keepers[tables] ?? exporter
        }
    }

    /// Records what is wrong with the directory of a pipeline's stage, with an exporter that has another stage's, with
    /// the names of its budgets, and with an exporter that keeps rows for another time than one with the same tables.
    mutating func add(_ pipeline: PipelineConfiguration, of components: [ComponentDefinition], _ fields: inout Fields) {
        addBudgets(of: pipeline, components, &fields)
        for exporter in components where pipeline.exporters.contains(exporter.id) {
            guard let tables = exporter.configuration.tables.map(Self.standard) else { continue }
            let keeper = keepers[tables] ?? exporter
            keepers[tables] = keeper
            guard let quarrel = Self.quarrel(exporter, keeper) else { continue }
            fields.record(line: pipeline.line, path: "service.pipelines.\(pipeline.id).exporters", quarrel)
        }
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

    private mutating func addBudgets(
        of pipeline: PipelineConfiguration, _ components: [ComponentDefinition], _ fields: inout Fields
    ) {
        func configuration(of id: ComponentID) -> (any Configurable)? {
            components.first { $0.id == id }?.configuration
        }
        // All that a pipeline has are the same.
        guard let exporter = pipeline.exporters.first(where: { configuration(of: $0)?.tables != nil }),
            let tables = configuration(of: exporter)?.tables.map(Self.standard)
        else { return }
        for id in pipeline.processors {
            for name in configuration(of: id)?.budgetNames ?? [] {
                let budget = NameInTables(name: name, tables: tables)
                guard let other = budgets[budget], other != id else {
                    budgets[budget] = id
                    continue
                }
                fields.record(
                    line: pipeline.line, path: "service.pipelines.\(pipeline.id).processors",
                    "found \(id) with the budget \(name.quotedForMessage), which \(other) has in the tables of "
                        + "\(exporter); wanted a name for each")
            }
        }
    }

    /// What is wrong with two exporters that have the same tables; nil where nothing is.
    static func quarrel(_ exporter: ComponentDefinition, _ other: ComponentDefinition) -> String? {
        let (own, others) = (exporter.configuration.upkeep, other.configuration.upkeep)
        let keys = own.keys.filter { own[$0] != others[$0] }.sorted()
        guard exporter.id != other.id, !keys.isEmpty, let tables = exporter.configuration.tables.map(standard),
            tables == other.configuration.tables.map(standard)
        else { return nil }
        return "found \(exporter.id) and \(other.id) with the same tables and another \(keys.joined(separator: ", ")); "
            + "wanted the same, since what one removes is gone for both"
    }

    private static func standard(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
