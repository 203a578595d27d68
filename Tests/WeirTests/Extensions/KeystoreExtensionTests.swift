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
        #expect(problems("path: k.db").joined().contains("found no source of keys, wanted env or file"))
        #expect(problems("key_encryption_keys: { env: A, file: b }").joined().contains("found env and file"))
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
        try sample.write(KeyStoreSample.first)
        try await eventually("the key is taken") { keystore.ring.problem == nil }
        _ = try keystore.ring.key(for: "a", .field, .xaes256gcm, at: EncryptionSample.now)
        #expect(metrics.render().contains(#"weir_keystore_data_keys_made{extension="keystore"} 1"#))
        await keystore.finish()
    }
}
