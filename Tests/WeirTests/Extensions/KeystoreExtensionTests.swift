import Logging
import Testing

@testable import Weir

@Suite struct KeystoreExtensionTests {
    private func problems(_ yaml: String) -> [String] {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        _ = top.descend(into: root, path: "") { $0.read(KeystoreConfiguration.self) }
        return top.diagnostics.entries.map { "\($0.description.dropFirst(2))" }
    }

    @Test func oneSourceOfKeysIsWanted() {
        #expect(problems("key_encryption_keys: { env: WEIR_KEK }").isEmpty)
        #expect(problems("key_encryption_keys: { file: kek }\nstore: sqlite\npath: k.db").isEmpty)
        #expect(problems("path: k.db").joined().contains("found no source of keys, wanted env, file or command"))
        for several in ["env: A, file: b", "file: b, command: [cat, b]"] {
            #expect(problems("key_encryption_keys: { \(several) }").joined().contains("found several of env, file and"))
        }
    }

    @Test(arguments: [
        KeyStoreSample.first, "ERERERERERERERERERERERERERERERERERERERERERE=",
        "abababababababababababababababababababababababababababababababab",
    ])
    func aKeyThatStandsWhereItsPlaceIsNamedIsNotShown(_ key: String) {
        for source in ["env: '\(key)'", "file: '\(key)'", "command: ['\(key)']", "command: [/bin/echo, '\(key)']"] {
            let found = problems("key_encryption_keys: { \(source) }")
            #expect(found.count == 1 && found[0].contains("wanted"), "\(source): \(found)")
            #expect(!found.joined().contains(key.prefix(16)), "\(source)")
        }
        #expect(problems("key_encryption_keys: { env: 'a passphrase' }").joined().contains("no name of a variable"))
    }

    @Test func eachStoreHasKeysOfItsOwn() {
        let source = "key_encryption_keys: { command: [cat, kek] }\n"
        #expect(problems(source + "store: postgres\nconnection: postgresql:///weir\nschema: keys").isEmpty)
        let other = problems(source + "store: postgres\npath: k.db").joined()
        #expect(other.contains("path: found it with store postgres"))
        #expect(problems(source + "schema: keys").joined().contains("schema: found it with store sqlite"))
        let hidden = problems(source + "store: postgres\nconnection: 'postgresql://u:s3s@me@host/x'").joined()
        #expect(hidden.contains("connection: found an @ in the host") && !hidden.contains("s3s"))
    }

    @Test func itServesWithoutAKeyAndTakesOneThatComes() async throws {
        let sample = try KeyStoreSample(keys: nil)
        var fields = Fields([], file: "f")
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read("key_encryption_keys: { file: \(sample.keyFile) }\npath: \(sample.path)")
        let read = fields.descend(into: root, path: "") { $0.read(KeystoreConfiguration.self) }.value
        let configuration = try #require(read)
        let metrics = MetricRegistry()
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        let keystore = KeystoreExtension(
            configuration, Context(id: ComponentID(type: "keystore"), logger: logger, metrics: metrics))
        await keystore.start()
        #expect(metrics.render().contains(#"weir_keystore_ready{extension="keystore"} 0"#))
        #expect(keystore.ring.problem != nil)
        #expect(keystore.complaints.count == 1 && keystore.complaints[0].hasPrefix("keystore: cannot encrypt: no key"))
        try sample.write(KeyStoreSample.first)
        try await eventually("the key is taken") { keystore.ring.problem == nil }
        _ = try keystore.ring.key(for: "a", .field, .xaes256gcm, at: EncryptionSample.now)
        #expect(metrics.render().contains(#"weir_keystore_data_keys_made{extension="keystore"} 1"#))
        try await eventually("nothing is wrong any more") { keystore.complaints.isEmpty }
        try sample.write("nonsense")
        try await eventually("it is said that the file is wrong") {
            keystore.complaints.contains { $0.contains("cannot be read: no key encryption key") }
        }
        await keystore.finish()
    }

    @Test func aKeyEncryptionKeyThatIsMissedIsNamed() async throws {
        let sample = try KeyStoreSample()
        let ring = try await sample.open(at: EncryptionSample.now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: EncryptionSample.now)
        try await ring.makeDurable([key])
        try sample.write(KeyStoreSample.second)
        let other = sample.ring()
        _ = await other.open(at: EncryptionSample.now)
        let found = await other.find([key.id])
        #expect(throws: Unreadable.noKeyEncryptionKey) { try found[key.id]?.get() }
        #expect(other.missing == [key.row.wrappedBy])
        try sample.write("\(KeyStoreSample.second)\n\(KeyStoreSample.first)")
        try await other.refresh(at: EncryptionSample.now)
        #expect(other.missing.isEmpty)
    }
}
