/// Why a pipeline did not take a batch. The sender still has it, and should send it again.
enum Refusal: Error, Equatable {
    /// There is no room. The receiver answers 503 with `Retry-After`.
    case overloaded(_ reason: String, retryAfter: Duration)
    /// The pipeline is stopping. The receiver answers 503 with `Retry-After`.
    case stopping
}
