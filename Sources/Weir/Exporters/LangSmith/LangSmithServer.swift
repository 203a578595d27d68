/// What is known of one destination.
struct LangSmithServer {
    static let refreshInterval = Duration.seconds(3_600)
    /// Between two questions that were not answered.
    static let retryInterval = Duration.seconds(60)

    var info = LangSmithInfo.unknown
    var askAgainAt: ContinuousClock.Instant?
    /// The first question, which all requests wait for.
    var firstQuestion: Task<Void, Never>?
    /// It has said that `/runs/multipart` is not there.
    var lacksMultipart = false
    var bucket: TokenBucket
}
