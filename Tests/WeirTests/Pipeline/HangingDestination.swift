import Synchronization

@testable import Weir

/// A destination that never answers, and ends an attempt when it is cancelled.
final class HangingDestination: Exporter {
    static let type = "test"
    static let help = "Hangs."

    private let cancelled = Mutex(false)

    init() {}

    init(_ configuration: TestDestination.Configuration, _ context: Context) {}

    var wasCancelled: Bool { cancelled.withLock { $0 } }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        try? await Task.sleep(for: .seconds(3600))
        cancelled.withLock { $0 = true }
        throw .retryable("cancelled", after: nil)
    }
}
