import Foundation
import Logging
import Testing

@testable import Weir

/// A store of keys in a directory of its own, with a file of key encryption keys.
final class KeyStoreSample: Sendable {
    static let first = String(repeating: "11", count: 32)
    static let second = String(repeating: "22", count: 32)

    let directory: TemporaryDirectory
    /// Of the server where the keys are in Postgres; nil where they are in a file.
    let schema: PostgresSchema?
    var keyFile: String { "\(directory.path)/kek" }
    var path: String { "\(directory.path)/keys/keys.db" }

    /// - Parameter keys: what the file says; nil for no file.
    convenience init(_ database: HotDatabase = .sqlite, keys: String? = first) throws {
        try self.init(in: database == .postgres ? PostgresSchema() : nil, keys: keys)
    }

    init(in schema: PostgresSchema?, keys: String? = first) throws {
        directory = try TemporaryDirectory()
        self.schema = schema
        if let keys { try write(keys) }
    }

    func write(_ keys: String, mode: UInt32 = 0o600) throws {
        try keys.write(toFile: keyFile, atomically: true, encoding: .utf8)
        try Directory.setMode(ofFile: keyFile, to: mode)
    }

    func ring(limit: Int = 1_000, maxNewKeys: Int = 1_000) -> Keyring {
        Keyring(.file(keyFile), store(), limit: limit, maxNewKeys: maxNewKeys)
    }

    private func store() -> KeyStore {
        guard let schema else { return KeyStore(SQLiteKeyDatabase(path)) }
        let interrupt = Interrupt()
        return KeyStore(
            PostgresKeyDatabase(schema.connection, schema: schema.name, interrupt: interrupt), interrupt: interrupt)
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

extension PostgresSchema {
    /// The bytes of a table as they are on the disk, read as text.
    func tableFile(_ name: String) throws -> String {
        let connection = try open()
        try connection.run("CHECKPOINT")
        let path = try #require(
            try connection.run(
                "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('\(name)')"
            ).text(0, 0))
        return String(decoding: try FileReader.contents(of: path, limit: 1 << 30), as: UTF8.self)
    }
}
