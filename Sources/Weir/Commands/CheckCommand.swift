import ArgumentParser

/// `weir check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prints every problem of the configuration; exits 1 if one is an error.")

    /// How the pipelines are drawn.
    enum Graph: String, ExpressibleByArgument, CaseIterable {
        case text, mermaid
    }

    @OptionGroup var option: ConfigurationOption

    @Option(help: "Also draws which way spans take: text or mermaid.")
    var graph: Graph?

    @Option(
        help: ArgumentHelp(
            "Says what of an OpenTelemetry Collector's file would not map, in place of that.", valueName: "file"))
    var otelcol: String?

    func run() throws {
        if let otelcol {
            let imported = try ImportConfigCommand.read(otelcol)
            try StandardOutput.write("\(otelcol): \(imported.diagnostics.summary)\n")
            if imported.isIncomplete || imported.diagnostics.count(.warning) > 0 { throw ExitCode.failure }
            return
        }
        let checked = option.checkAgain()
        var diagnostics = checked.diagnostics
        for files in checked.tlsFiles { diagnostics.add(TLSFileCheck(files, now: .now()).diagnostics) }
        for definition in checked.configuration?.extensions ?? [] { addProblem(with: definition, to: &diagnostics) }
        if let configuration = checked.configuration { addShorterArchives(configuration, to: &diagnostics) }
        option.show(diagnostics)
        try StandardOutput.write("\(option.file): \(diagnostics.summary)\n")
        guard let configuration = checked.configuration, !diagnostics.hasErrors else { throw ExitCode.failure }
        guard let graph else { return }
        let picture = PipelineGraph(configuration: configuration)
        try StandardOutput.write(graph == .text ? picture.text : picture.mermaid)
    }

    /// Rows are left to OTLP only where that is kept as long.
    private func addShorterArchives(_ configuration: CollectorConfiguration, to diagnostics: inout Diagnostics) {
        for pipeline in configuration.service.pipelines {
            let archives = configuration.exporters.filter { pipeline.exporters.contains($0.id) }.compactMap {
                definition in
                (definition.configuration as? ExporterConfiguration<ArchiveExporter>).map { (definition, $0.own) }
            }
            let colder = archives.map(\.1).filter { $0.format != .parquet }.map(\.lifecycle)
            for (definition, rows) in archives where rows.format == .parquet && !colder.isEmpty {
                let tenants = [""] + ([rows.lifecycle] + colder).flatMap(\.classes).flatMap(\.tenants).sorted()
                let shorter = tenants.first { tenant in
                    colder.allSatisfy { $0.rule(of: tenant).cold < rows.lifecycle.rule(of: tenant).cold }
                }
                guard let shorter else { continue }
                diagnostics.add(
                    .warning, line: definition.line, path: "exporters.\(definition.id).lifecycle.warm",
                    "rows\(shorter.isEmpty ? "" : " of tenant \(shorter.quotedForMessage)") may stay until `cold`, "
                        + "since no archive of OTLP beside it keeps them as long")
            }
        }
    }

    /// Weir serves without a key encryption key, so it is no error. A command is not run only to find out.
    private func addProblem(with definition: ComponentDefinition, to diagnostics: inout Diagnostics) {
        guard let keystore = definition.configuration as? KeystoreConfiguration else { return }
        if case .command = keystore.source { return }
        do throws(KeyError) {
            _ = try keystore.source.read()
        } catch {
            diagnostics.add(
                .warning, line: definition.line, path: "extensions.\(definition.id).key_encryption_keys",
                "\(error); what is to be encrypted is refused until there is one")
        }
    }
}
