import ArgumentParser

/// `weir journal`
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Looks into the journals: what they hold, how far the exporters are, whether they are whole.",
        discussion: "Only reads, and may be used while Weir runs.",
        subcommands: [JournalStatusCommand.self, JournalVerifyCommand.self, JournalDumpCommand.self])
}

/// Which journals a command is about.
struct JournalOptions: ParsableArguments {
    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("Only this pipeline's journal, such as traces.", valueName: "id"))
    var pipeline: String?

    /// The journals that are there, of pipelines that are configured and of others.
    /// - Throws: also where there is none, or one cannot be looked into.
    func journals() throws -> [(pipeline: String, disk: JournalDirectory)] {
        let directory = try option.read().configuration.service.journal.directory
        guard try Directory.isThere(directory) else { throw Self.none(at: directory) }
        // A stage has a second one below.
        let paths = try Directory.names(in: directory).sorted().flatMap { [$0, "\($0)/\(StageCourse.directory)"] }
        let found = try paths.filter { try Directory.isThere("\(directory)/\($0)/\(JournalRecovery.identityName)") }
        guard !found.isEmpty else { throw Self.none(at: directory) }
        let journals = found.map { path in
            (
                id: path.replacingOccurrences(of: "~", with: "/"),
                disk: JournalDirectory(reading: "\(directory)/\(path)")
            )
        }
        guard let pipeline else { return journals.map { ($0.id, $0.disk) } }
        let wanted = journals.filter { [pipeline, "\(pipeline)/\(StageCourse.directory)"].contains($0.id) }
        guard !wanted.isEmpty else {
            let known = journals.map(\.id).joined(separator: ", ")
            throw ValidationError("found \(pipeline.quotedForMessage), wanted one of \(known)")
        }
        return wanted.map { ($0.id, $0.disk) }
    }

    /// What is said of a place where Weir has not run yet, or in another directory.
    private static func none(at directory: String) -> CommandFailure {
        CommandFailure("found no journal at \(directory), wanted the directory of a Weir that has run")
    }
}
