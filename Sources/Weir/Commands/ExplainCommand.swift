import ArgumentParser

/// `weir explain`
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract:
            "Says what sampling made of a trace: which rule kept or left out its spans, and what it would do now.",
        discussion:
            "Reads the hot tables, the configuration, and what a tail_sampling of this machine wrote down. "
            + "docs/sampling.md has examples."
    )

    @OptionGroup var options: QueryOptions

    @Argument(help: ArgumentHelp("32 hexadecimal digits.", valueName: "id"), transform: QueryTraceCommand.id)
    var id: TraceID

    func run() async throws {
        let configuration = try options.store.option.read().configuration
        // What was decided is known without them.
        let hasTables = options.store.exporter != nil || configuration.exporters.contains { HotTables($0) != nil }
        let spans = try await hasTables ? options.page(TraceQuery(options.tenant, id: id)).rows : nil
        let calls = try await hasTables ? options.page(SampledOutCallsQuery(options.tenant, id: id)).rows : nil
        let decisions = try StageDecision.all(about: id, of: options.tenant.name, in: configuration)
        let explanation = Explanation(of: id, spans, calls, decisions, configuration)
        switch options.store.format {
        case .json: try StandardOutput.write(explanation.json + "\n")
        case .table: try StandardOutput.write(explanation.text)
        }
    }
}
