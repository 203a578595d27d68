/// A picture of which way spans take.
struct PipelineGraph {
    let configuration: CollectorConfiguration

    /// A line for each pipeline, with those that own it.
    var text: String {
        configuration.service.pipelines.map { pipeline in
            let steps =
                [list(pipeline.receivers)] + steps(of: pipeline).map { $0 ?? "[journal]" } + [list(pipeline.exporters)]
            let owner = owner(of: pipeline).map { ", \($0)" } ?? ""
            return "\(pipeline.id)\(owner)\(tenants(of: pipeline))\n  \(steps.joined(separator: " -> "))\n"
        }.joined()
    }

    /// Processors, and nil where a journal is: behind all of them, and in front of one that needs whole traces.
    private func steps(of pipeline: PipelineConfiguration) -> [String?] {
        var steps: [String?] = pipeline.processors.map(\.description) + [nil]
        if let stage = pipeline.stage { steps.insert(nil, at: stage) }
        return steps
    }

    private func tenants(of pipeline: PipelineConfiguration) -> String {
        pipeline.tenants.map { ", only \($0.sorted().joined(separator: " "))" } ?? ""
    }

    /// The same for Mermaid, a subgraph for each pipeline.
    var mermaid: String {
        var lines = ["flowchart LR"]
        let receivers = Set(configuration.service.pipelines.flatMap(\.receivers)).map(\.description).sorted()
        for (index, receiver) in receivers.enumerated() { lines.append("  r\(index)([\"\(receiver)\"])") }
        for (number, pipeline) in configuration.service.pipelines.enumerated() {
            let title = (owner(of: pipeline).map { ": \($0)" } ?? "") + tenants(of: pipeline)
            lines.append("  subgraph p\(number)[\"\(pipeline.id)\(escape(title))\"]")
            let steps = steps(of: pipeline)
            for (step, processor) in steps.enumerated() {
                let shape = processor.map { "[\"\($0)\"]" } ?? "[(\"journal\")]"
                lines.append("    p\(number)s\(step)\(shape)")
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
