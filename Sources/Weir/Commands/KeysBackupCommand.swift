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
        let configuration = try options.option.readToWriteEverywhere()
        var register = try ErasureRegister(configuration.service.erasure.directory)
        let ring = try options.ring()
        // Who destroys keys may stand in another directory.
        let file = URL(fileURLWithPath: self.file).path
        if forget { return try await forget(file, ring, &register) }
        guard !Directory.has(file) else { throw CommandFailure("found \(file), wanted a file that is not there yet") }
        try await KeysOptions.audit(ring, "backup", file)
        // Before it has a key, and also where no copy of the store has it.
        try await note(.backup, file, ring, &register)
        do {
            try await ring.store.run { database throws(KeyError) in try database.backUp(to: file, at: .now()) }
        } catch {
            // None that an erasure would wait for for ever.
            if !Directory.has(file) { try await note(.forget, file, ring, &register) }
            throw error
        }
        StandardError.note("let it expire: a key that is destroyed lives on in a copy that is elsewhere")
    }

    private func forget(_ file: String, _ ring: Keyring, _ register: inout ErasureRegister) async throws {
        let (known, index) = try await ring.store.run { database throws(KeyError) in
            (try database.backups(), try SubjectKeys.index(of: database))
        }
        let noted = index.reduce(into: Set()) { $0.formUnion(register.backups[$1] ?? []) }
        let all = known + noted.subtracting(known).sorted()
        // Of another machine, it is named as the key store has it.
        guard let path = [self.file, file].first(where: all.contains) else {
            let wanted = all.isEmpty ? "" : ", wanted one of \(all.joined(separator: ", "))"
            throw CommandFailure("found no backup \(file.quotedForMessage)\(wanted)")
        }
        guard !Directory.has(path) else { throw CommandFailure("found \(path), wanted one that is gone") }
        try await KeysOptions.audit(ring, "forget backup", path)
        try await ring.store.run { database throws(KeyError) in try database.forget(backup: path) }
        if noted.contains(path) { try await note(.forget, path, ring, &register) }
    }

    /// Writes it into the register of erasures.
    private func note(
        _ kind: ErasureEntry.Kind, _ path: String, _ ring: Keyring, _ register: inout ErasureRegister
    ) async throws {
        let index = try await ring.store.run { database throws(KeyError) in try SubjectKeys.index(of: database) }
        for store in index {
            try register.append(at: .now()) { _ in
                var entry = ErasureEntry(kind, id: store.keyID)
                (entry.place, entry.actor) = (path, KeysOptions.actor)
                return entry
            }
        }
    }
}
