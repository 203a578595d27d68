/// Decrypts what a destination may read, in memory. What it may not read is no use to it, so a word stands for it.
struct RunReveal: Sendable {
    typealias Keys = [UInt64: Result<DataKey, Unreadable>]

    private static let hidden = "[encrypted]"

    /// Attributes; the key of status messages is `status.message`.
    let names: [String]
    let ring: Keyring

    private var fields: [GlobPattern] { names.map(GlobPattern.init) }

    func keyIDs(in batch: borrowing Batch) -> Set<UInt64> { RevealPass(fields).keyIDs(in: batch) }

    /// - Throws: where the store of keys cannot be asked; what cannot be read for another reason stays unread.
    func keys(_ ids: Set<UInt64>) async throws(ExportError) -> Keys {
        let keys = ids.isEmpty ? [:] : await ring.find(ids)
        let isThere = keys.values.allSatisfy {
            if case .failure(.unavailable) = $0 { false } else { true }
        }
        guard isThere else { throw .retryable("the store of keys cannot be asked", after: nil) }
        return keys
    }

    /// Notes for whoever asks later who could read what.
    func audit(_ tenant: String, reader: String, at now: Timestamp) async throws(ExportError) {
        let entry = KeyAuditEntry(
            at: now, actor: reader, action: "reveal",
            detail: "sends \(names.joined(separator: " ")) of tenant \(tenant) in clear")
        do throws(KeyError) {
            try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
        } catch {
            throw .retryable("the store of keys cannot note who reads: \(error)", after: nil)
        }
    }

    func reveal(_ batch: inout Batch, with keys: Keys) -> RevealPass.Counts {
        var pass = RevealPass(fields)
        return pass.reveal(&batch, with: keys)
    }

    /// Puts a word in place of what is still encrypted.
    static func hideRest(of batch: inout Batch) {
        var word: StoredValue?
        func hide(_ owner: AttributeOwner, _ batch: inout Batch) {
            for index in batch.attributes(of: owner).indices {
                let attribute = batch.attributes[index]
                guard attribute.kind == .string, !attribute.isRemoved,
                    Envelope.hasPrefix(batch.bytes(attribute.valueRef))
                else { continue }
                let stored = word ?? batch.store(.string(hidden))
                word = stored
                batch.set(attributeAt: index, to: stored, of: owner)
            }
        }
        for index in batch.resources.indices { hide(.resource(index), &batch) }
        for index in batch.spans.indices {
            hide(.span(index), &batch)
            for event in batch.spans[index].events { hide(.event(event, span: index), &batch) }
            guard Envelope.hasPrefix(batch.bytes(batch.spans[index].statusMessage)) else { continue }
            let stored = word ?? batch.store(.string(hidden))
            batch.set(.statusMessage(index), to: ByteRef(packed: stored.bits))
        }
    }
}
