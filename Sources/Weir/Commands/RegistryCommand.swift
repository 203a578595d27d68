import ArgumentParser

/// `weir registry`
struct RegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "Looks into a registry of events.",
        subcommands: [RegistryCheckCommand.self])
}
