import Synchronization

@testable import Weir

/// A destination that never answers, and ends an attempt when it is cancelled.
final class HangingDestination: Exporter {
    static let type = "test"
    static let help = "Hangs."

    private let begun = Mutex(false)
    private let cancelled = Mutex(false)

    init() {}

    init(_ configuration: TestDestination.Configuration, _ context: Context) {}

    var hasBegun: Bool { begun.withLock { $0 } }
    var wasCancelled: Bool { cancelled.withLock { $0 } }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        begun.withLock { $0 = true }
        let (silence, voice) = AsyncStream<Never>.makeStream()
        // Ends when the task is cancelled, and not before: nobody speaks.
        for await _ in silence {}
        withExtendedLifetime(voice) { cancelled.withLock { $0 = true } }
        throw .retryable("cancelled", after: nil)
    }
}
