import ArgumentParser
import Foundation

/// `weir keys backup`
struct KeysBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies the store of data keys, wrapped as they are, for its owner only.")

    @OptionGroup var options: KeysOptions

    @Argument(help: ArgumentHelp("A file that is not there yet.", valueName: "file"))
    var file: String

    func run() async throws {
        _ = try options.option.readToWriteEverywhere()
        let ring = try options.ring()
        // Who destroys keys may stand in another directory.
        let file = URL(fileURLWithPath: self.file).path
        try await KeysOptions.audit(ring, "backup", file)
        try await ring.store.run { database throws(KeyError) in try database.backUp(to: file, at: .now()) }
        StoreOptions.note("let it expire: a key that is destroyed lives on in a copy that is elsewhere")
    }
}
