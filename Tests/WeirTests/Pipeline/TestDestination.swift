import Synchronization

@testable import Weir

/// A destination that takes what it is told to take, and keeps it.
final class TestDestination: Exporter {
    static let type = "test"
    static let help = "Keeps what it takes."

    struct Configuration: Configurable {
        init(_ fields: inout Fields) {}
    }

    struct Attempt {
        let sequences: [UInt64]
        let spans: Int
        let at: ContinuousClock.Instant
    }

    private struct Locked {
        var failures: [ExportError] = []
        var failsAlways: ExportError?
        var failsFirst: ExportError?
        var attempts: [Attempt] = []
        var taken: [[UInt64]] = []
        var batches: [FrozenBatch] = []
        var ticks = 0
        var finishes = 0
    }

    private let locked = Mutex(Locked())
    private let gate: Gate?
    private let answer: @Sendable (FrozenBatch) -> ExportError?

    /// - Parameters:
    ///   - failures: what it says to the first attempts, before it takes anything.
    ///   - always: what it says to every later attempt.
    ///   - first: what it says to the first attempt of each batch.
    ///   - gate: what each attempt has to pass first. Being cancelled does not open it.
    ///   - answer: what it says to this very batch, unless the others said something.
    init(
        failures: [ExportError] = [], always: ExportError? = nil, first: ExportError? = nil, gate: Gate? = nil,
        answer: @escaping @Sendable (FrozenBatch) -> ExportError? = { _ in nil }
    ) {
        self.gate = gate
        self.answer = answer
        locked.withLock {
            $0.failures = failures
            $0.failsAlways = always
            $0.failsFirst = first
        }
    }

    convenience init(_ configuration: Configuration, _ context: Context) {
        self.init()
    }

    /// The sequences of each batch that it took.
    var taken: [[UInt64]] { locked.withLock { $0.taken } }
    var batches: [FrozenBatch] { locked.withLock { $0.batches } }
    /// The names of all spans that it took, in their order.
    var takenSpans: [String] { batches.flatMap(\.spanNames) }
    var attempts: [Attempt] { locked.withLock { $0.attempts } }
    var ticks: Int { locked.withLock { $0.ticks } }
    var finishes: Int { locked.withLock { $0.finishes } }

    func export(_ batch: FrozenBatch) async throws(ExportError) {
        let sequences = batch.records.map(\.sequence)
        let failure = locked.withLock { locked -> ExportError? in
            let isFirst = locked.attempts.last?.sequences != sequences
            locked.attempts.append(Attempt(sequences: sequences, spans: batch.spanCount, at: .now))
            if isFirst, let failure = locked.failsFirst { return failure }
            return locked.failures.isEmpty ? locked.failsAlways : locked.failures.removeFirst()
        }
        await gate?.pass()
        if let failure = failure ?? answer(batch) { throw failure }
        locked.withLock {
            $0.taken.append(sequences)
            $0.batches.append(batch)
        }
    }

    func tick(at now: Timestamp) async {
        locked.withLock { $0.ticks += 1 }
    }

    func finish() async {
        locked.withLock { $0.finishes += 1 }
    }
}
