import ArgumentParser
import Foundation

/// `weir keys backup`
struct KeysBackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies the store of data keys, wrapped as they are, for its owner only.")

    @OptionGroup var options: KeysOptions

    @Argument(help: ArgumentHelp("A file that is not there yet.", valueName: "file"))
    var file: String

    @Flag(help: "Makes none: says of one that it is gone for good, so that no erasure waits for it.")
    var forget = false

    func run() async throws {
        _ = try options.option.readToWriteEverywhere()
        let ring = try options.ring()
        // Who destroys keys may stand in another directory.
        let file = URL(fileURLWithPath: self.file).path
        if forget { return try await forget(file, ring) }
        try await KeysOptions.audit(ring, "backup", file)
        try await ring.store.run { database throws(KeyError) in try database.backUp(to: file, at: .now()) }
        StoreOptions.note("let it expire: a key that is destroyed lives on in a copy that is elsewhere")
    }

    private func forget(_ file: String, _ ring: Keyring) async throws {
        let known = try await ring.store.run { database throws(KeyError) in try database.backups() }
        // Of another machine, it is named as the key store has it.
        guard let path = [self.file, file].first(where: known.contains) else {
            let wanted = known.isEmpty ? "" : ", wanted one of \(known.joined(separator: ", "))"
            throw CommandFailure("found no backup \(file.quotedForMessage)\(wanted)")
        }
        guard !Directory.has(path) else { throw CommandFailure("found \(path), wanted one that is gone") }
        try await KeysOptions.audit(ring, "forget backup", path)
        try await ring.store.run { database throws(KeyError) in try database.forget(backup: path) }
    }
}
