import Synchronization

/// Writes down which sealed files somebody opens, each once.
final class SealedFileAudit: Sendable {
    private let action: String
    private let actor: String
    private let noted = Mutex<Set<String>>([])

    init(action: String, actor: String) {
        (self.action, self.actor) = (action, actor)
    }

    /// Returns when it is durable.
    /// - Returns: whether it is written.
    func note(_ path: String, in store: KeyStore) -> Bool {
        guard noted.withLock({ !$0.contains(path) }) else { return true }
        let entry = KeyAuditEntry(at: .now(), actor: actor, action: action, detail: path)
        do throws(KeyError) {
            try store.wait { store throws(KeyError) in
                try store.run { database throws(KeyError) in try database.audit(entry) }
            }
        } catch {
            return false
        }
        noted.withLock { _ = $0.insert(path) }
        return true
    }
}
