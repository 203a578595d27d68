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
            print("\(otelcol): \(imported.diagnostics.summary)")
            if imported.isIncomplete || imported.diagnostics.count(.warning) > 0 { throw ExitCode.failure }
            return
        }
        let checked = option.checkAgain()
        var diagnostics = checked.diagnostics
        for files in checked.tlsFiles { diagnostics.add(TLSFileCheck(files, now: .now()).diagnostics) }
        for definition in checked.configuration?.extensions ?? [] { addProblem(with: definition, to: &diagnostics) }
        option.show(diagnostics)
        print("\(option.file): \(diagnostics.summary)")
        guard let configuration = checked.configuration, !diagnostics.hasErrors else { throw ExitCode.failure }
        guard let graph else { return }
        let picture = PipelineGraph(configuration: configuration)
        print(graph == .text ? picture.text : picture.mermaid, terminator: "")
    }

    /// Weir serves without a key encryption key, so it is no error. A command is not run only to find out.
    private func addProblem(with definition: ComponentDefinition, to diagnostics: inout Diagnostics) {
        guard let keystore = definition.configuration as? KeystoreConfiguration else { return }
        if case .command = keystore.source { return }
        do throws(KeyError) {
            _ = try keystore.source.read()
        } catch {
            diagnostics.add(
                .warning, line: nil, path: "extensions.\(definition.id).key_encryption_keys",
                "\(error); what is to be encrypted is refused until there is one")
        }
    }
}
