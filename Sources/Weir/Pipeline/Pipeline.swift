import Synchronization

/// The way of spans from receivers through processors into the journal. Its exporters read from there.
final class Pipeline: Sendable {
    /// Whether another pipeline takes its place.
    private enum Succession {
        case none
        /// It is being made; these wait for it.
        case awaited([CheckedContinuation<Pipeline?, Never>])
        /// Nil where there is none after all.
        case known(PipelineLine?)
        /// The configuration has it no more.
        case withdrawn
    }

    /// `traces` or `traces/name`.
    let id: ComponentID
    let journal: Journal
    /// Whose spans it takes; nil takes everybody's.
    let tenants: Set<String>?
    private let processors: [any Processor]
    private let succession = Mutex(Succession.none)
    private let line = Mutex(PipelineLine())

    init(id: ComponentID, tenants: Set<String>? = nil, processors: [any Processor], journal: Journal) {
        self.tenants = tenants
        self.id = id
        self.processors = processors
        self.journal = journal
    }

    /// A copy of the processors for one event loop.
    func makeLane() -> Lane {
        Lane(of: self, processors: processors)
    }

    /// Returns when the entry is in the journal, or in that of the pipeline which takes this one's place: who comes
    /// while one journal is closed and the next not open waits.
    func append(_ entry: JournalEntry) async throws(Refusal) -> Journal.Appended {
        do {
            return try await journal.append(entry)
        } catch {
            guard error == .stopping, let successor = await successor() else { throw error }
            return try await successor.append(entry)
        }
    }

    /// Why an entry would not be taken now.
    func refusal(of entry: JournalEntry) -> Refusal? {
        let isSucceeded = succession.withLock { if case .none = $0 { false } else { true } }
        return isSucceeded ? nil : journal.refusal(of: entry)
    }

    /// Another pipeline is going to take this one's place: requests wait for it once the journal is closed.
    func awaitSuccessor() {
        succession.withLock { $0 = .awaited([]) }
    }

    /// - Parameter successor: nil if there is none after all; then those that wait are told that the pipeline stops.
    func handOver(to successor: Pipeline?) {
        let line = line.withLock { $0 }
        if let successor {
            line.advance(to: successor)
            successor.line.withLock { $0 = line }
        }
        let waiting = succession.withLock { succession -> [CheckedContinuation<Pipeline?, Never>] in
            defer { succession = .known(successor == nil ? nil : line) }
            guard case .awaited(let waiting) = succession else { return [] }
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: successor) }
    }

    /// The configuration has it no more: what is on its way to it, and to others, goes on to those.
    func withdraw() {
        succession.withLock { $0 = .withdrawn }
    }

    var isWithdrawn: Bool { succession.withLock { if case .withdrawn = $0 { true } else { false } } }

    private func successor() async -> Pipeline? {
        await withCheckedContinuation { continuation in
            let known = succession.withLock { succession -> Pipeline?? in
                switch succession {
                case .none, .withdrawn: return .some(nil)
                case .known(let line): return .some(line?.last)
                case .awaited(let waiting):
                    succession = .awaited(waiting + [continuation])
                    return nil
                }
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
