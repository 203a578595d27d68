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
}
