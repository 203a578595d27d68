import ArgumentParser

/// `weir replay`
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends the dead letters of an exporter again; exits 1 if some remain.")

    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("The exporter whose dead letters are sent again.", valueName: "id"))
    var exporter: String

    @Option(help: ArgumentHelp("Only those of this pipeline.", valueName: "id"))
    var pipeline: String?

    func run() async throws {
        let configuration = try option.readToWrite()
        let (definition, selected) = try select(from: configuration)
        let pipelines = try haveLetters(selected, of: definition.id, configuration.service.journal)
        guard !pipelines.isEmpty else { return }
        var isComplete = true
        do {
            try await Replay.run(configuration, exporter: definition, pipelines: pipelines) { pipeline, outcome in
                try StandardOutput.write(Self.text(pipeline, outcome) + "\n")
                isComplete = isComplete && outcome.isComplete
            }
        } catch is Replay.Busy {
            try StandardOutput.write("the dead letters are being replayed already\n")
            throw ExitCode.failure
        }
        guard isComplete else { throw ExitCode.failure }
    }

    /// The exporter, and the pipelines that have it.
    func select(
        from configuration: CollectorConfiguration
    ) throws -> (exporter: ComponentDefinition, pipelines: [ComponentID]) {
        guard let definition = configuration.exporters.first(where: { $0.id.description == exporter }) else {
            let known = configuration.exporters.map(\.id.description).joined(separator: ", ")
            throw ValidationError("found exporter \(exporter.quotedForMessage), wanted one of \(known)")
        }
        let having = configuration.service.pipelines.filter { $0.exporters.contains(definition.id) }.map(\.id)
        let chosen = having.filter { pipeline == nil || $0.description == pipeline }
        guard !chosen.isEmpty else {
            let known = having.map(\.description).joined(separator: ", ")
            throw ValidationError("found no such pipeline with \(exporter), wanted one of \(known)")
        }
        return (definition, chosen)
    }

    /// Says of the others that they have none, and makes nothing there.
    private func haveLetters(
        _ pipelines: [ComponentID], of exporter: ComponentID, _ journal: JournalConfiguration
    ) throws -> [ComponentID] {
        guard try Directory.isThere(journal.directory) else {
            throw CommandFailure(
                "found no dead letters: \(journal.directory) is not there, wanted the directory of a Weir that has run"
            )
        }
        return try pipelines.filter { pipeline in
            let directory = DeadLetterFile.directory(journal.directory(of: pipeline), exporter: exporter)
            if try Directory.isThere(directory) { return true }
            try StandardOutput.write("\(pipeline): no dead letters in \(directory)\n")
            return false
        }
    }

    private static func text(_ pipeline: ComponentID, _ outcome: Replay.Outcome) -> String {
        var text = "\(pipeline): sent \(outcome.sentSpans.of("span")), \(outcome.remainingSpans) remain"
        if outcome.unreadableLines > 0 { text += ", and \(outcome.unreadableLines.of("line")) without a letter" }
        return text
    }
}
