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
    func journals() throws -> [(pipeline: String, disk: JournalDirectory)] {
        let directory = try option.read().configuration.service.journal.directory
        guard Directory.has(directory) else { return [] }
        let names = try Directory.names(in: directory).sorted()
        let found = names.map { $0.replacingOccurrences(of: "~", with: "/") }
        if let pipeline, !found.contains(pipeline) {
            let wanted = found.filter { Directory.has("\(directory)/\($0)/\(JournalRecovery.identityName)") }
            throw ValidationError(
                "found \(pipeline.quotedForMessage), wanted one of \(wanted.joined(separator: ", "))")
        }
        return zip(found, names).filter { pipeline == nil || pipeline == $0.0 }.flatMap { id, name in
            // A stage has a second one below.
            ["", "/" + StageCourse.directory].compactMap { part in
                let path = "\(directory)/\(name)\(part)"
                guard Directory.has("\(path)/\(JournalRecovery.identityName)") else { return nil }
                return (id + part, JournalDirectory(reading: path))
            }
        }
    }
}
