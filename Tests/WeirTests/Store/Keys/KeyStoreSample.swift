import Foundation
import Logging

@testable import Weir

/// A store of keys in a directory of its own, with a file of key encryption keys.
final class KeyStoreSample: Sendable {
    static let first = String(repeating: "11", count: 32)
    static let second = String(repeating: "22", count: 32)

    let directory: TemporaryDirectory
    var keyFile: String { "\(directory.path)/kek" }
    var path: String { "\(directory.path)/keys/keys.db" }

    /// - Parameter keys: what the file says; nil for no file.
    init(keys: String? = first) throws {
        directory = try TemporaryDirectory()
        if let keys { try write(keys) }
    }

    func write(_ keys: String, mode: UInt32 = 0o600) throws {
        try keys.write(toFile: keyFile, atomically: true, encoding: .utf8)
        try Directory.setMode(ofFile: keyFile, to: mode)
    }

    func ring(limit: Int = 1_000) -> Keyring {
        Keyring(.file(keyFile), KeyStore(SQLiteKeyDatabase(path)), limit: limit)
    }

    /// With this store as `keystore`.
    func extensions() -> Extensions {
        let id = ComponentID(type: "keystore")
        let configuration = KeystoreConfiguration(.file(keyFile), path: path)
        let context = Context(
            id: id, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }, metrics: MetricRegistry())
        var extensions = Extensions()
        extensions.add(
            ComponentDefinition(id: id, configuration: configuration), KeystoreExtension(configuration, context))
        return extensions
    }

    /// - Parameter now: the day whose keys are at hand.
    func open(at now: Timestamp) async throws -> Keyring {
        let ring = ring()
        if let problem = await ring.open(at: now) { throw problem }
        return ring
    }
}
