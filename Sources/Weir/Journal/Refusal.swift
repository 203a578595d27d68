/// Why a pipeline did not take a batch. The sender still has it.
enum Refusal: Error, Equatable {
    /// There is no room. The receiver answers 503 with `Retry-After`.
    case overloaded(_ reason: String, retryAfter: Duration)
    /// There is room, but not for this tenant. The receiver answers 429 with `Retry-After`.
    case overQuota(_ reason: String, retryAfter: Duration)
    /// The pipeline is stopping. The receiver answers 503 with `Retry-After`.
    case stopping
    /// The batch is larger than the pipeline ever takes. The receiver answers 413.
    case tooLarge(_ reason: String)
}
