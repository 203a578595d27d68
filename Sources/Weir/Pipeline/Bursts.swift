import Logging
import Synchronization

/// Which processors of a process are in a burst. Their lanes ask it for each batch; whoever operates Weir begins and
/// ends them. They end with the process.
final class Bursts: Sendable {
    /// Why a burst cannot begin.
    enum Problem: Error, Equatable {
        case noProcessor
        case unknownProcessor(String, known: [String])
        case unknownRule(String, known: [String])
    }

    /// What somebody asks for.
    struct Request: Sendable, Equatable {
        /// The id of a `sampling` processor; nil is all.
        var processor: String?
        /// Names of rules; nil is all.
        var rules: Set<String>?
        var duration: Duration = .seconds(1800)
        var budget: Int = 1 << 30
        var reason = ""
    }

    /// What is to be said of one processor.
    struct Status: Sendable, Equatable {
        let processor: ComponentID
        let rules: [String]
        let burst: Burst?
    }

    private struct State {
        var rules: [ComponentID: [String]] = [:]
        var bursts: [ComponentID: Burst] = [:]
    }

    private let state = Mutex(State())
    /// Until the first burst, no batch takes the lock.
    private let isQuiet = Atomic(true)
    private let logger: Logger
    private let instant: @Sendable () -> ContinuousClock.Instant

    /// - Parameter instant: by which a burst ends even where the machine's clock is set back.
    init(
        _ logger: Logger = Logger(label: "weir") { _ in SwiftLogNoOpLogHandler() },
        instant: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.logger = logger
        self.instant = instant
    }

    /// A processor says that it is there. Again, after a reload, it may have other rules.
    func register(_ processor: ComponentID, rules: [String]) {
        state.withLock { $0.rules[processor] = rules }
    }

    /// The others are not there any more, after a reload.
    func keep(_ processors: Set<ComponentID>) {
        let gone = state.withLock { state -> [ComponentID: Burst] in
            state.rules = state.rules.filter { processors.contains($0.key) }
            let gone = state.bursts.filter { !processors.contains($0.key) }
            for id in gone.keys { state.bursts[id] = nil }
            return gone
        }
        for (id, burst) in gone { say(.gone, id, burst) }
    }

    /// - Returns: the processors for which it began.
    func begin(_ request: Request, at now: Timestamp) throws(Problem) -> [Status] {
        let ids = try state.withLock { state throws(Problem) -> [ComponentID] in
            let known = state.rules.keys.sorted { $0.description < $1.description }
            guard !known.isEmpty else { throw .noProcessor }
            let ids = known.filter { request.processor == nil || $0.description == request.processor }
            guard !ids.isEmpty else {
                throw .unknownProcessor(request.processor ?? "", known: known.map(\.description))
            }
            let names = Set(ids.flatMap { state.rules[$0] ?? [] })
            if let unknown = request.rules?.subtracting(names).min() {
                throw .unknownRule(unknown, known: names.sorted())
            }
            for id in ids {
                state.bursts[id] = Burst(
                    rules: request.rules, lasting: request.duration, budget: request.budget, reason: request.reason,
                    at: now, instant())
            }
            return ids
        }
        isQuiet.store(false, ordering: .relaxed)
        logger.warning(
            "burst began",
            metadata: [
                "processors": "\(ids.map(\.description).joined(separator: ","))", "for": "\(request.duration.text)",
                "max_bytes": "\(ByteCount(request.budget))",
                "rules": "\(request.rules?.sorted().joined(separator: ",") ?? "all")", "reason": "\(request.reason)",
            ])
        return status(at: now).filter { ids.contains($0.processor) }
    }

    /// Ends the bursts of one processor, or of all.
    /// - Returns: how many there were.
    func stop(_ processor: String?) -> Int {
        let ended = state.withLock { state in
            let ids = state.bursts.keys.filter { processor == nil || $0.description == processor }
            return ids.compactMap { id in state.bursts.removeValue(forKey: id).map { (id, $0) } }
        }
        for (id, burst) in ended { say(.stopped, id, burst) }
        return ended.count
    }

    func status(at now: Timestamp) -> [Status] {
        endLate(at: now)
        return state.withLock { state in
            state.rules.sorted { $0.key.description < $1.key.description }.map {
                Status(processor: $0.key, rules: $0.value, burst: state.bursts[$0.key])
            }
        }
    }

    /// What a batch of so many bytes may keep because of a burst; nil where there is none. Ends with ``end(_:)``.
    func lease(of processor: ComponentID, bytes: Int, at now: Timestamp) -> Burst.Lease? {
        guard !isQuiet.load(ordering: .relaxed) else { return nil }
        endLate(at: now)
        return state.withLock { $0.bursts[processor]?.lease(bytes, of: processor) }
    }

    func end(_ lease: Burst.Lease) {
        let spent = state.withLock { state -> Burst? in
            // Another one may have begun meanwhile.
            guard state.bursts[lease.processor]?.id == lease.id,
                state.bursts[lease.processor]?.end(lease) ?? false
            else { return nil }
            return state.bursts.removeValue(forKey: lease.processor)
        }
        if let spent { say(.budget, lease.processor, spent) }
    }

    private func endLate(at now: Timestamp) {
        let instant = instant()
        let late = state.withLock { state in
            state.bursts.filter { $0.value.endsAt <= now || $0.value.deadline <= instant }.map { id, burst in
                state.bursts[id] = nil
                return (id, burst)
            }
        }
        for (id, burst) in late { say(.time, id, burst) }
    }

    private func say(_ end: Burst.End, _ processor: ComponentID, _ burst: Burst) {
        logger.warning(
            "burst ended",
            metadata: [
                "processor": "\(processor)", "because": "\(end.rawValue)", "began": "\(burst.id)",
                "bytes": "\(burst.spent)", "reason": "\(burst.reason)",
            ])
    }
}
