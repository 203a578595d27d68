import ArgumentParser

/// `weir api-key`
struct APIKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-key", abstract: "Makes keys for clients.", subcommands: [APIKeyNewCommand.self])
}
