import Foundation

extension PipelineConfiguration {
    /// Records two exporters that would write to one directory, of which one would never deliver.
    func checkDirectories(of components: [ComponentDefinition], _ fields: inout Fields) {
        var owners: [String: ComponentID] = [:]
        for exporter in exporters {
            let definition = components.first { $0.id == exporter }
            guard let directory = definition?.configuration.ownDirectory else { continue }
            let path = URL(fileURLWithPath: directory).standardizedFileURL.path
            guard let other = owners.updateValue(exporter, forKey: path) else { continue }
            fields.record(
                line: line, path: "service.pipelines.\(id).exporters",
                "found \(other) and \(exporter) with one directory, \(directory); wanted one for each")
        }
    }
}
