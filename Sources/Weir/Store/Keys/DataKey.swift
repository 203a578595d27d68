import Synchronization

/// A data key that may be used.
final class DataKey: Sendable {
    let row: DataKeyRow
    let secret: SecretKey
    /// Whether the store has it. What was encrypted with one that is not must not be acknowledged.
    let isDurable: Atomic<Bool>
    let isDestroyed = Atomic<Bool>(false)
    /// Messages that were encrypted with it by this process, as far as they were counted.
    let uses = Atomic<Int>(0)

    var id: UInt64 { row.id }

    init(_ row: DataKeyRow, _ secret: SecretKey, isDurable: Bool) {
        self.row = row
        self.secret = secret
        self.isDurable = Atomic(isDurable)
    }

    var isInStore: Bool { isDurable.load(ordering: .acquiring) }

    /// Whether new messages may be encrypted with it.
    var isUsable: Bool {
        !isDestroyed.load(ordering: .relaxed)
            && (row.suite == .xaes256gcm || uses.load(ordering: .relaxed) < CipherSuite.maxUses)
    }
}
