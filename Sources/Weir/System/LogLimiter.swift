import Logging

/// Lets the first lines of a kind pass and thins out the rest, so that a flood of one error neither fills the disk nor
/// hides the others.
///
/// Lines are of one kind when level, label and message are equal. In each tick the first `initial` of a kind pass, then
/// every `thereafter`-th. At most `maxKeys` kinds are told apart; further ones count as one kind until the tick ends.
/// Time is an argument: the limiter knows no clock.
struct LogLimiter {
    struct Key: Hashable {
        let level: Logger.Level
        let label: String
        let message: String
    }

    /// Lines of one kind that were held back since the last one that passed.
    struct Summary: Equatable {
        /// Nil for the kinds beyond `maxKeys`, which were counted together.
        let key: Key?
        let suppressed: Int
    }

    enum Verdict: Equatable {
        /// Write it, and say how many of its kind were held back since the last one.
        case pass(suppressed: Int)
        case suppress
    }

    private struct Count {
        var seen = 0
        var suppressed = 0
    }

    private let tick: Duration
    private let initial: Int
    private let thereafter: Int
    private let maxKeys: Int
    private var counts: [Key?: Count] = [:]
    private var tickEnd: Duration?

    /// The OpenTelemetry Collector's numbers.
    init(tick: Duration = .seconds(10), initial: Int = 10, thereafter: Int = 100, maxKeys: Int = 1_000) {
        precondition(tick > .zero && initial > 0 && thereafter > 0 && maxKeys > 0, "a limit that is not positive")
        self.tick = tick
        self.initial = initial
        self.thereafter = thereafter
        self.maxKeys = maxKeys
    }

    /// Decides about one line. Call ``endTick(at:)`` first, so that a new tick starts from nothing.
    mutating func admit(_ key: Key, at now: Duration) -> Verdict {
        if tickEnd == nil { tickEnd = now + tick }
        // One place more is kept for the kinds that are counted together.
        let place = counts[key] != nil || counts.count < maxKeys ? key : nil
        var count = counts[place, default: Count()]
        count.seen += 1
        let passes = count.seen <= initial || (count.seen - initial) % thereafter == 0
        let suppressed = count.suppressed
        count.suppressed = passes ? 0 : suppressed + 1
        counts[place] = count
        return passes ? .pass(suppressed: suppressed) : .suppress
    }

    /// What a tick that is over held back and nothing has told yet, in a fixed order. A tick begins with its first
    /// line.
    mutating func endTick(at now: Duration) -> [Summary] {
        guard let end = tickEnd else { return [] }
        // A clock that was set back would keep the tick open for as long; it ends the tick instead.
        guard now >= end || now < end - tick else { return [] }
        return endTick()
    }

    /// As ``endTick(at:)``, though the tick is not over: for the end of the process.
    mutating func endTick() -> [Summary] {
        defer {
            counts.removeAll()
            tickEnd = nil
        }
        return counts.filter { $0.value.suppressed > 0 }
            .map { Summary(key: $0.key, suppressed: $0.value.suppressed) }
            .sorted { Self.order($0.key) < Self.order($1.key) }
    }

    private static func order(_ key: Key?) -> (Int, Logger.Level, String, String) {
        guard let key else { return (1, .critical, "", "") }
        return (0, key.level, key.label, key.message)
    }
}
