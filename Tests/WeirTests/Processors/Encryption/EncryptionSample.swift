import Testing

@testable import Weir

/// Batches that are encrypted, exported, read again and decrypted.
final class EncryptionSample: Sendable {
    static let now = TestClock().now

    let store: KeyStoreSample
    let ring: Keyring
    let policy: EncryptionPolicy

    init(
        _ fields: [String], suite: CipherSuite = .xaes256gcm, subjects: [String] = [], indexed: [String] = [],
        content: Bool = false, statusMessage: Bool = false
    ) async throws {
        store = try KeyStoreSample()
        ring = try await store.open(at: Self.now)
        var policy = EncryptionPolicy()
        policy.fields = fields.map { KeyPattern($0) }
        policy.suite = suite
        policy.subjects = subjects.map(AttributeKey.init)
        policy.indexed = indexed.map(AttributeKey.init)
        policy.content = content
        policy.statusMessage = statusMessage
        self.policy = policy
    }

    /// - Returns: what an exporter gets of the spans.
    func encrypted(_ spans: [SpanFixture], tenant: String = "acme") throws -> Payload {
        var batch = try SpanFixture.batch(spans)
        return try encrypted(&batch, tenant: tenant)
    }

    func encrypted(_ batch: inout Batch, tenant: String = "acme", times: Int = 1) throws -> Payload {
        var pass = EncryptionPass(policy, ring)
        batch.tenant = tenant
        batch.receivedAt = Self.now
        for _ in 0..<times { try pass.encrypt(&batch) }
        var encoder = OTLPEncoder()
        return encoder.encode(batch) ?? .empty
    }

    /// - Returns: what can be read of it.
    func revealed(
        _ payload: Payload, tenant: String = "acme", fields: [String] = ["*"]
    ) async throws -> (payload: Payload, counts: RevealPass.Counts) {
        let ids = try Self.keyIDs(payload, tenant)
        let keys = await ring.find(ids)
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        batch.tenant = tenant
        let pass = RevealPass(fields.map { KeyPattern($0) })
        let counts = pass.reveal(&batch, with: keys)
        var encoder = OTLPEncoder()
        return (encoder.encode(batch) ?? .empty, counts)
    }

    static func keyIDs(_ payload: Payload, _ tenant: String = "acme") throws -> Set<UInt64> {
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        return RevealPass().keyIDs(in: batch)
    }
}

extension Payload {
    /// Whether the text stands anywhere in it.
    func has(_ text: String) -> Bool { array.contains(Array(text.utf8)) }

    var array: [UInt8] { withExtendedLifetime(self) { Array(bytes) } }

    /// What the encoder makes of it, so that the order of fields tells nothing apart.
    var written: [UInt8] {
        get throws {
            var batch = Batch()
            try OTLPDecoder().decode(self, into: &batch)
            batch.markAllDirty(attributesToo: true)
            return batch.encoded
        }
    }

    var debugText: String {
        get throws {
            var batch = Batch()
            try OTLPDecoder().decode(self, into: &batch)
            return try batch.attributesAfterExport(of: .span(0)).joined(separator: "\n")
        }
    }
}
