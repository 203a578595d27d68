import Logging
import Synchronization

/// Decrypts fields for an exporter that may read them, in memory. Who reads whose fields is in the audit before
/// anything leaves: an entry an exporter, tenant and minute.
final class KeystoreView: BatchView {
    private static let maxTenants = 10_000
    private static let minute: UInt64 = 60_000_000_000

    private let ring: Keyring
    private let fields: [KeyPattern]
    private let context: Context
    private let revealed: Counter
    private let unreadable: Counter
    /// The minute of the last entry, by tenant.
    private let audited = Mutex<[String: UInt64]>([:])

    init(_ ring: Keyring, _ fields: [KeyPattern], _ context: Context) {
        self.ring = ring
        self.fields = fields
        self.context = context
        let labels = ["exporter": context.id.description]
        revealed = context.metrics.counter(
            "weir_exporter_revealed_values", help: "Values that were decrypted for the exporter.", labels: labels)
        unreadable = context.metrics.counter(
            "weir_exporter_unreadable_values", help: "Values that could not be decrypted for it.", labels: labels)
    }

    /// The view of an exporter; nil where it gets spans as they are.
    static func make(_ delivery: DeliveryConfiguration, _ context: Context) throws(ConfigError) -> KeystoreView? {
        guard let id = delivery.revealKeystore else { return nil }
        let keystore: KeystoreExtension = try context.extensions.find(id)
        return KeystoreView(keystore.ring, delivery.reveal, context)
    }

    func view(_ batch: FrozenBatch) async throws(ExportError) -> FrozenBatch {
        var records: [JournalRecord] = []
        for record in batch.records { records.append(try await view(record)) }
        return FrozenBatch(journal: batch.journal, records: records, recoveredThrough: batch.recoveredThrough)
    }

    private func view(_ record: JournalRecord) async throws(ExportError) -> JournalRecord {
        var batch = Batch(decodedLimit: .max)
        do throws(DecodeError) {
            try OTLPDecoder(maxValueDepth: .max).decode(record.payload, into: &batch)
        } catch {
            throw .rejected("a record cannot be decoded: \(error)")
        }
        batch.tenant = record.tenant
        let pass = RevealPass(fields)
        let ids = pass.keyIDs(in: batch)
        guard !ids.isEmpty else { return record }
        try await audit(record.tenant)
        let keys = await ring.find(ids)
        for case .failure(let reason) in keys.values where [.unavailable, .noKeyEncryptionKey].contains(reason) {
            throw .retryable("cannot decrypt: \(reason.rawValue)", after: nil)
        }
        let counts = pass.reveal(&batch, with: keys)
        revealed.add(counts.revealed)
        unreadable.add(counts.unreadable)
        var encoder = OTLPEncoder()
        guard let payload = encoder.encode(batch) else { throw .rejected("a record is too large in clear") }
        var new = record
        new.payload = payload
        return new
    }

    private func audit(_ tenant: String) async throws(ExportError) {
        let now = Timestamp.now()
        let minute = now.nanoseconds / Self.minute
        guard audited.withLock({ $0[tenant] != minute }) else { return }
        let entry = KeyAuditEntry(
            at: now, actor: "exporter \(context.id)", action: "reveal", detail: "fields of tenant \(tenant)")
        do throws(KeyError) {
            try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
        } catch {
            throw .retryable("the audit cannot be written: \(error)", after: nil)
        }
        audited.withLock { audited in
            if audited.count >= Self.maxTenants { audited.removeAll() }
            audited[tenant] = minute
        }
    }
}
