import ArgumentParser

/// `weir keys`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Looks after the keys of encryption; shows nothing secret.",
        subcommands: [
            KeysListCommand.self, KeysAddCommand.self, KeysRotateCommand.self, KeysVerifyCommand.self,
            KeysDestroyCommand.self, KeysBackupCommand.self, KeysAuditCommand.self, KeysIndexCommand.self,
        ])
}
