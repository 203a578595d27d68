/// A time in which sampling keeps everything that some of its rules are for.
struct Burst: Sendable, Equatable {
    static let durations: ClosedRange<Duration> = .seconds(1)...(.seconds(86_400))
    static let budgets: ClosedRange<Int> = 1...(1 << 40)

    /// When it began: `2026-02-03T04:05:06Z`. Spans that were kept in it say so.
    let id: String
    let reason: String
    /// By their names; nil is all.
    let rules: Set<String>?
    let endsAt: Timestamp
    /// The same, whatever is done to the machine's clock.
    let deadline: ContinuousClock.Instant
    /// Bytes of spans that may be kept beside those that would have been.
    let budget: Int
    /// Of the budget: what is spent, and what batches under way may still spend.
    private(set) var spent = 0
    private var promised = 0

    /// Why it is over.
    enum End: String, Sendable {
        case time, budget, stopped
        /// A reload took the processor away.
        case gone
    }

    /// What one batch may spend.
    struct Lease: Sendable {
        let id: String
        let processor: ComponentID
        fileprivate let rules: Set<String>?
        fileprivate let promised: Int
        fileprivate var spent = 0
        /// Bytes of the first span that did not fit any more.
        fileprivate var missing: Int?

        func isFor(_ rule: String) -> Bool { missing == nil && rules?.contains(rule) ?? true }

        /// - Returns: whether a span of this rule that would not be kept is to be kept.
        mutating func take(_ bytes: Int, for rule: String) -> Bool {
            guard isFor(rule) else { return false }
            guard spent + bytes <= promised else {
                missing = bytes
                return false
            }
            spent += bytes
            return true
        }
    }
}

extension Burst {
    init(
        rules: Set<String>?, lasting duration: Duration, budget: Int, reason: String, at now: Timestamp,
        _ instant: ContinuousClock.Instant
    ) {
        let time = CalendarTime(now)
        id = "\(time.date)T\(time.time)Z"
        self.reason = reason
        self.rules = rules
        endsAt = Timestamp(nanoseconds: now.nanoseconds &+ UInt64(duration / .nanoseconds(1)))
        deadline = instant + duration
        self.budget = budget
    }

    /// Seconds until it is over.
    func left(at now: Timestamp, _ instant: ContinuousClock.Instant) -> Int {
        let byClock = endsAt > now ? Int((endsAt.nanoseconds - now.nanoseconds) / 1_000_000_000) : 0
        let seconds: Double = (deadline - instant) / Duration.seconds(1)
        return max(0, min(byClock, Int(seconds.rounded(.up))))
    }

    /// Promises a batch of so many bytes what it may need at most; nil where nothing is left to promise.
    mutating func lease(_ bytes: Int, of processor: ComponentID) -> Lease? {
        let most = min(bytes, budget - spent - promised)
        guard most > 0 else { return nil }
        promised += most
        return Lease(id: id, processor: processor, rules: rules, promised: most)
    }

    /// - Returns: whether the budget is spent: what may be left of it is too little for a span that came.
    mutating func end(_ lease: Lease) -> Bool {
        promised -= lease.promised
        spent += lease.spent
        return spent == budget || lease.missing.map { budget - spent < $0 } ?? false
    }
}
