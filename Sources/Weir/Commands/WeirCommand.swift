import ArgumentParser

/// The command line of `weir`.
struct WeirCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "Receives OpenTelemetry traces, changes them, and delivers every accepted span.",
        version: Program.version,
        subcommands: [
            RunCommand.self, CheckCommand.self, PrintConfigCommand.self, ImportConfigCommand.self,
            ComponentsCommand.self,
            JournalCommand.self,
            PromoteCommand.self, ReplayCommand.self, RedactCommand.self, PricesCommand.self, QueryCommand.self,
            StoreCommand.self, APIKeyCommand.self, KeysCommand.self, DecryptCommand.self, ArchiveCommand.self,
            ExplainCommand.self, BurstCommand.self, TestCommand.self, EraseCommand.self, HoldCommand.self,
            RegistryCommand.self,
        ])

    /// Does what the command line says, and exits.
    static func runToTheEnd() async {
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
        } catch let error as ValidationError {
            // The library knows by now of the root only, and would print its usage.
            StandardError.note("Error: \(error.message)\nSee '\(name(of: type(of: command))) --help'.")
            exit(withError: ExitCode.validationFailure)
        } catch {
            exit(withError: error)
        }
    }

    /// `weir query search`
    private static func name(
        of command: any ParsableCommand.Type, below outer: any ParsableCommand.Type = WeirCommand.self
    ) -> String {
        let name = outer.configuration.commandName ?? ""
        if outer == command { return name }
        let inner = outer.configuration.subcommands.lazy.map { Self.name(of: command, below: $0) }.first { !$0.isEmpty }
        return inner.map { "\(name) \($0)" } ?? ""
    }
}
