/// What is known of one destination, and how it does. Time comes in.
struct LangSmithServer {
    typealias Instant = ContinuousClock.Instant

    static let refreshInterval = Duration.seconds(3_600)
    /// Between two questions that were not answered.
    static let retryInterval = Duration.seconds(60)
    /// For so long those who go elsewhere wait for it.
    static let patience = Duration.seconds(10)
    /// Between two requests to one that takes nothing and names no time.
    private static let pause = Duration.seconds(1)

    var info = LangSmithInfo.unknown
    var askAgainAt: Instant?
    /// The first question, which all requests wait for.
    var firstQuestion: Task<Void, Never>?
    /// It has said that `/runs/multipart` is not there.
    var lacksMultipart = false
    /// It has said that it does not read these.
    var unread: Set<Compression> = []
    var gate: RequestGate
    /// Since when it takes nothing.
    private var failingSince: Instant?
    /// It wants no request before, and why.
    private var rest: (until: Instant, reason: String)?

    init(gate: RequestGate) {
        self.gate = gate
    }

    /// What it takes, as far as it has said so.
    var known: LangSmithInfo {
        var known = info
        if lacksMultipart { known.takesMultipart = false }
        if unread.contains(.zstd) { known.takesZstd = false }
        if unread.contains(.gzip) { known.takesGzip = false }
        return known
    }

    /// A request that was begun at `start` has failed.
    mutating func fail(since start: Instant, at now: Instant, pause: Duration?, _ reason: String) {
        failingSince = min(failingSince ?? start, start)
        let named = min(pause ?? .zero, Backoff.longestNamedPause)
        let until = max(now + named, rest?.until ?? now)
        rest = (until, reason)
        if isAway(at: now) { rest?.until = max(until, now + Self.pause) }
    }

    /// It has answered as it should.
    mutating func work() {
        (failingSince, rest) = (nil, nil)
    }

    /// Why it is not to be asked now; nil where it is.
    func rest(at now: Instant) -> String? {
        guard let rest, rest.until > now else { return nil }
        return rest.reason
    }

    /// Whether those who go elsewhere should not wait for it.
    func isAway(at now: Instant) -> Bool {
        guard let failingSince else { return false }
        return max(now, rest?.until ?? now) - failingSince >= Self.patience
    }
}
