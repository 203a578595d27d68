import DequeModule

/// The requests that were taken lately, so that one that a client sends again, because it missed the answer, is
/// answered again and not kept twice.
struct DedupeWindow {
    /// Of a clock that nobody sets: a window is as long as it is said to be.
    typealias Instant = ContinuousClock.Instant

    enum Finding: Equatable {
        case unknown
        /// The first one is being committed right now.
        case underWay
        /// What the client was told about rejected spans.
        case answered(Rejections)
    }

    private enum Known {
        case underWay
        case answered(at: Instant, answer: String)
    }

    /// How long a request is remembered; zero remembers none.
    let length: Duration
    /// Requests that are remembered at most; then the oldest is forgotten.
    let limit: Int
    /// Requests that were forgotten before their time.
    private(set) var evictions = 0
    private var known: [RequestKey: Known] = [:]
    private var order: Deque<(key: RequestKey, at: Instant)> = []

    init(length: Duration, limit: Int) {
        self.length = length
        self.limit = limit
    }

    var isOn: Bool { length > .zero }
    var count: Int { order.count }

    mutating func find(_ key: RequestKey, at now: Instant) -> Finding {
        forget(at: now)
        switch known[key] {
        case nil: return .unknown
        case .underWay: return .underWay
        case .answered(let at, let answer):
            return isOver(at, now) ? .unknown : .answered(Rejections(text: answer))
        }
    }

    mutating func begin(_ key: RequestKey) {
        if isOn { known[key] = .underWay }
    }

    /// The request was answered with an error: the next one is the first.
    mutating func fail(_ key: RequestKey) {
        if case .underWay = known[key] { known[key] = nil }
    }

    mutating func finish(_ key: RequestKey, at now: Instant, answer: String) {
        guard isOn, key != .none else { return }
        forget(at: now)
        known[key] = .answered(at: now, answer: answer)
        order.append((key, now))
        if order.count > limit {
            evictions += 1
            forgetOldest()
        }
    }

    private mutating func forget(at now: Instant) {
        while let oldest = order.first, isOver(oldest.at, now) { forgetOldest() }
    }

    private mutating func forgetOldest() {
        guard let oldest = order.popFirst() else { return }
        // It may have come again since.
        if case .answered(oldest.at, _) = known[oldest.key] { known[oldest.key] = nil }
    }

    private func isOver(_ at: Instant, _ now: Instant) -> Bool { now - at > length }
}
