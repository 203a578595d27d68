/// A picture of which way spans take.
struct PipelineGraph {
    let configuration: CollectorConfiguration

    /// A line for each pipeline, with those that own it.
    var text: String {
        configuration.service.pipelines.map { pipeline in
            let steps =
                [list(pipeline.receivers)] + pipeline.processors.map(\.description) + ["[journal]"]
                + [list(pipeline.exporters)]
            let owner = owner(of: pipeline).map { ", \($0)" } ?? ""
            let tenants = pipeline.tenants.map { ", only \($0.sorted().joined(separator: " "))" } ?? ""
            return "\(pipeline.id)\(owner)\(tenants)\n  \(steps.joined(separator: " -> "))\n"
        }.joined()
    }

    /// The same for Mermaid, a subgraph for each pipeline.
    var mermaid: String {
        var lines = ["flowchart LR"]
        let receivers = Set(configuration.service.pipelines.flatMap(\.receivers)).map(\.description).sorted()
        for (index, receiver) in receivers.enumerated() { lines.append("  r\(index)([\"\(receiver)\"])") }
        for (number, pipeline) in configuration.service.pipelines.enumerated() {
            let owner = owner(of: pipeline).map { ": \($0)" } ?? ""
            lines.append("  subgraph p\(number)[\"\(pipeline.id)\(escape(owner))\"]")
            let steps = pipeline.processors.map { "\"\($0)\"" } + ["\"journal\""]
            for (step, label) in steps.enumerated() {
                let isJournal = step == steps.count - 1
                lines.append("    p\(number)s\(step)\(isJournal ? "[(\(label))]" : "[\(label)]")")
                if step > 0 { lines.append("    p\(number)s\(step - 1) --> p\(number)s\(step)") }
            }
            for (index, exporter) in pipeline.exporters.enumerated() {
                lines.append("    p\(number)s\(steps.count - 1) --> p\(number)e\(index)[/\"\(exporter)\"/]")
            }
            lines.append("  end")
            for receiver in pipeline.receivers {
                if let index = receivers.firstIndex(of: receiver.description) {
                    lines.append("  r\(index) --> p\(number)s0")
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func owner(of pipeline: PipelineConfiguration) -> String? {
        configuration.files.files.first { $0.name == pipeline.id.file.map(String.init) }?.owner
    }

    private func list(_ ids: [ComponentID]) -> String { ids.map(\.description).joined(separator: " + ") }

    /// Mermaid writes characters of its own as entities.
    private func escape(_ text: String) -> String {
        text.replacing("#", with: "#35;").replacing("\"", with: "#quot;")
    }
}
