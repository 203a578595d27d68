import ArgumentParser

/// `weir store`
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Looks after the hot tables: what they hold, and whether they are those of this Weir.",
        subcommands: [StoreStatusCommand.self, StoreMigrateCommand.self])
}
