import Foundation
import Logging
import Testing

@testable import Weir

@Suite struct EncryptionProcessorTests {
    private func problems(_ yaml: String) -> [String] { ProcessorFixture<EncryptionProcessor>.problems(yaml) }

    private func processor(
        _ ring: Keyring, _ metrics: MetricRegistry = MetricRegistry(), isBehindStage: Bool = false
    ) -> EncryptionProcessor {
        var policy = EncryptionPolicy()
        policy.fields = [KeyPattern("secret")]
        policy.subjects = [AttributeKey("user.id")]
        policy.maxPersons = 2
        let logger = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
        var context = Context(id: ComponentID(type: "encryption"), logger: logger, metrics: metrics)
        context.isBehindStage = isBehindStage
        return EncryptionProcessor(policy, ring, context)
    }

    private func batch() throws -> Batch {
        var batch = try SpanFixture.batch([SpanFixture(("secret", .string("the plan")))])
        batch.receivedAt = EncryptionSample.now
        return batch
    }

    @Test func theKeysAreChecked() {
        #expect(problems("keystore: keystore").isEmpty)
        #expect(problems("fields: [a.*]\ncontent: true\nsubjects: [user.id]\nkeystore: k").isEmpty)
        #expect(
            problems("algorithm: rot13\nkeystore: k") == [
                #"1: algorithm: found "rot13", wanted xaes-256-gcm or aes-256-gcm"#
            ])
        #expect(problems("fields: []").count == 1)
        #expect(problems("fields: [a.b.c, x.*]\nindexed: [a.b.c, x.y]\nkeystore: k").isEmpty)
        #expect(problems("fields: [a.b.c]\nindexed: [a.b]\nkeystore: k").count == 1)
        #expect(
            problems("fields: ['a.*.*.b.*.c.*.d.*.e']\nkeystore: k") == [
                #"1: fields: found "a.*.*.b.*.c.*.d.*.e" with 5 times .*., wanted at most 4"#
            ])
    }

    @Test func whatAKeyOpensIsKeptOnlyOnceTheKeyIs() async throws {
        let store = try KeyStoreSample()
        let ring = try await store.open(at: EncryptionSample.now)
        let metrics = MetricRegistry()
        let sample = try PipelineSample(processors: [processor(ring, metrics)])
        let lane = sample.pipeline.makeLane()
        var batch = try batch()
        let entry = try #require(try lane.process(&batch))
        #expect(entry.prerequisites.count == 1)
        let id = try #require(EncryptionSample.keyIDs(entry.payload).first)
        #expect(try await ring.store.run { database throws(KeyError) in try database.keys([id]) }.isEmpty)
        #expect(try await sample.pipeline.journal.append(entry) == .kept)
        #expect(try await ring.store.run { database throws(KeyError) in try database.keys([id]) }.count == 1)
        // A key that is in the store asks for nothing more.
        #expect(try lane.process(&batch)?.prerequisites.isEmpty == true)
        #expect(metrics.render().contains(#"weir_encryption_values{encryption="encryption"} 1"#))
        #expect(metrics.render().contains(#"weir_encryption_passed_values{encryption="encryption"} 1"#))
    }

    @Test func whatCannotBeEncryptedIsRefusedAndNotWritten() async throws {
        let ring = try KeyStoreSample(keys: nil).ring()
        let sample = try PipelineSample(processors: [processor(ring)])
        let lane = sample.pipeline.makeLane()
        var batch = try batch()
        let refusal = #expect(throws: Refusal.self) { _ = try lane.process(&batch) }
        guard case .overloaded(let reason, let pause)? = refusal else {
            Issue.record("found \(String(describing: refusal)), wanted overloaded")
            return
        }
        #expect(reason.hasSuffix("no key encryption key") && pause > .zero, "clients hear nothing of paths")
    }

    @Test func aRequestOfTooManyPersonsIsTooLargeAndOneThatWasAcknowledgedIsNot() async throws {
        let ring = try await KeyStoreSample().open(at: EncryptionSample.now)
        func batch() throws -> Batch {
            var batch = try SpanFixture.batch(
                (0..<3).map { SpanFixture(("secret", .string("the plan")), ("user.id", .int($0))) })
            batch.receivedAt = EncryptionSample.now
            return batch
        }
        var (front, behind) = (processor(ring), processor(ring, isBehindStage: true))
        let refusal = #expect(throws: Refusal.self) {
            var batch = try batch()
            try front.process(&batch)
        }
        #expect(refusal == .tooLarge("found more than 2 persons in a request, wanted at most max_persons"))
        var taken = try batch()
        try behind.process(&taken)
        #expect(ring.made == 3)
    }

    @Test func aStoreThatFailsRefusesWhatWasEncrypted() async throws {
        let files = try KeyStoreSample()
        let ring = Keyring(.file(files.keyFile), KeyStore(SQLiteKeyDatabase("\(files.keyFile)/keys.db")))
        _ = await ring.open(at: EncryptionSample.now)
        let sample = try PipelineSample(processors: [processor(ring)])
        let lane = sample.pipeline.makeLane()
        var batch = try batch()
        let entry = try #require(try lane.process(&batch))
        await #expect(throws: Refusal.self) { try await sample.pipeline.journal.append(entry) }
        #expect(sample.pipeline.journal.status.records == 0)
    }

    @Test func nothingThatIsSampledOutLeavesInClear() async throws {
        let store = try KeyStoreSample()
        let ring = try await store.open(at: EncryptionSample.now)
        let sample = try PipelineSample(processors: [processor(ring)])
        let lane = sample.pipeline.makeLane()
        var policy = EncryptionPolicy()
        policy.fields = [KeyPattern("*")]
        var pass = EncryptionPass(policy, ring)
        let long = String(repeating: "the plan ", count: 100)
        var batch = try SpanFixture.batch([
            SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.response.model", .string("model of the plan")),
                ("user.id", .string("the plan of maria")), ("gen_ai.input.messages", .string(long)))
        ])
        batch.receivedAt = EncryptionSample.now
        batch.sampleOut(span: 0)
        try pass.encrypt(&batch)
        let entry = try #require(try lane.process(&batch))
        #expect(!entry.section.bytes.isEmpty)
        #expect(!entry.section.bytes.contains(Array("the plan".utf8)))
        #expect(!entry.payload.has("the plan"))
    }

    @Test func aDestinationThatShowsContentIsToHaveIt() {
        func warnings(_ processors: String, _ exporter: String) -> [String] {
            let text = """
                receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
                extensions: { keystore: { key_encryption_keys: { env: KEK } } }
                processors:
                  encryption: { content: true, keystore: keystore }
                  encryption/other: { fields: [app.secret], keystore: keystore }
                  redaction: { content: encrypt }
                exporters: { debug: {}, langsmith: { api_key: k\(exporter) } }
                service: { pipelines: { traces: {
                    receivers: [otlp], processors: [\(processors)], exporters: [debug, langsmith] } } }
                """
            let checked = CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue)
            return checked.diagnostics.entries.map { "\($0)" }.filter { $0.contains("langsmith gets nothing") }
        }
        #expect(warnings("encryption", "").count == 1)
        #expect(warnings("redaction, encryption/other", "").count == 1)
        #expect(warnings("encryption", ", reveal: ['gen_ai.*'], keystore: keystore") == [])
        #expect(warnings("encryption/other", "") == [])
    }

    @Test func theOrderOfProcessorsIsChecked() {
        func problems(_ processors: String) -> [String] {
            let text = """
                receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
                extensions: { keystore: { key_encryption_keys: { env: KEK } } }
                processors:
                  encryption: { fields: [a], keystore: keystore }
                  redaction: { keys: [ { key: b, action: encrypt } ] }
                  redaction/plain: {}
                exporters: { debug: {} }
                service: { pipelines: { traces: {
                    receivers: [otlp], processors: [\(processors)], exporters: [debug] } } }
                """
            let path = NSTemporaryDirectory() + "weir-\(UUID().uuidString).yaml"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try? text.write(toFile: path, atomically: true, encoding: .utf8)
            let checked = CheckedConfiguration(file: path, environment: [:], catalogue: Registry.catalogue)
            return checked.diagnostics.entries.filter { $0.severity == .error }.map { "\($0)" }
        }
        #expect(problems("redaction, encryption, redaction/plain").joined().contains("would see ciphertext"))
        #expect(problems("redaction, redaction/plain, encryption") == [])
        #expect(problems("redaction, redaction/plain").joined().contains("wanted an encryption processor behind it"))
        #expect(problems("encryption, redaction").count == 2)
    }
}
