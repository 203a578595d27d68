import Synchronization

@testable import Weir

/// A destination that has a record safe only later, as an archive does. It takes batches of one record.
final class LateDestination: Exporter {
    static let type = "test"
    static let help = "Settles later."

    private let last = Mutex<(exported: UInt64, settled: UInt64)>((0, 0))
    private let settlesAtTheEnd: Bool

    init(settlesAtTheEnd: Bool = true) {
        self.settlesAtTheEnd = settlesAtTheEnd
    }

    convenience init(_ configuration: TestDestination.Configuration, _ context: Context) {
        self.init()
    }

    /// The last sequence that was exported.
    var exported: UInt64 { last.withLock { $0.exported } }

    func settle(through sequence: UInt64) {
        last.withLock { $0.settled = sequence }
    }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        guard batch.records.count == 1 else { throw .rejected("too many") }
        last.withLock { $0.exported = batch.records[0].sequence }
    }

    func settled(through sequence: UInt64) async -> UInt64 {
        last.withLock { min(sequence, $0.settled) }
    }

    func finish() async {
        if settlesAtTheEnd { last.withLock { $0.settled = $0.exported } }
    }
}
