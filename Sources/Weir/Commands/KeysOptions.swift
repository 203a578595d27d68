import ArgumentParser
import Foundation

/// Which key store a command is about.
struct KeysOptions: ParsableArguments {
    @OptionGroup var option: ConfigurationOption

    @Option(help: ArgumentHelp("The extension, where there are several.", valueName: "id"))
    var keystore: String?

    func settings() throws -> KeystoreConfiguration {
        try settings(in: option.read().configuration)
    }

    func settings(in configuration: CollectorConfiguration) throws -> KeystoreConfiguration {
        try Self.settings(keystore, in: configuration)
    }

    /// - Parameter keystore: the extension, where there are several.
    static func settings(
        _ keystore: String?, in configuration: CollectorConfiguration
    ) throws -> KeystoreConfiguration {
        let found = configuration.extensions.compactMap { definition in
            (definition.configuration as? KeystoreConfiguration).map { (definition.id.description, $0) }
        }
        let known = found.map(\.0).joined(separator: ", ")
        if let keystore {
            guard let named = found.first(where: { $0.0 == keystore }) else {
                throw ValidationError("found keystore \(keystore.quotedForMessage), wanted one of \(known)")
            }
            return named.1
        }
        guard let first = found.first else {
            throw CommandFailure("found no keystore among the extensions, wanted one")
        }
        guard found.count == 1 else {
            throw CommandFailure("found several keystores, wanted --keystore with one of \(known)")
        }
        return first.1
    }

    /// A ring with the key encryption keys; a command that only looks at rows needs none.
    func ring() throws -> Keyring {
        let settings = try settings()
        // What SQLite makes beside a file belongs to the file's owner; a file that it makes would be root's.
        if let path = settings.path, !Directory.has(path) { try ForeignOwner.refuse([path]) }
        let ring = settings.makeKeyring()
        ring.readEncryptionKeys()
        return ring
    }

    /// Who runs the command.
    static var actor: String { "\(NSUserName()) (uid \(getuid()))" }

    static func audit(_ ring: Keyring, _ action: String, _ detail: String) async throws {
        let entry = KeyAuditEntry(at: .now(), actor: actor, action: action, detail: detail)
        try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
    }

    /// Calls `body` with all rows, some at a time.
    static func visit(_ ring: Keyring, _ body: ([DataKeyRow]) async throws -> Void) async throws {
        var last: UInt64?
        while true {
            let after = last
            let rows = try await ring.store.run { database throws(KeyError) in
                try database.keys(after: after, limit: 500)
            }
            guard let end = rows.last else { return }
            try await body(rows)
            last = end.id
        }
    }
}

extension UInt64 {
    /// As commands show and read the id of a data key.
    var keyID: String { digits(16, radix: 16) }
}
