/// How often an operation failed and how long it took, in a window or a step of one.
struct OperationLatency: AggregateRow, Equatable {
    struct Key: Hashable, Sendable {
        /// Of the step; nil where there is none.
        let start: Timestamp?
        let service: String
        let name: String
    }

    let key: Key
    var spans: Int64
    var errors: Int64
    /// The sum, in nanoseconds.
    var duration: Int64
    /// A span without an end, or with one before its start, counts as one that took no time.
    var durations = DurationHistogram()

    /// In 0...1.
    var errorRate: Double { spans == 0 ? 0 : Double(errors) / Double(spans) }

    /// In nanoseconds.
    var mean: Int64 { spans == 0 ? 0 : duration / spans }

    /// In nanoseconds; off by at most what ``DurationHistogram`` says. Nil where there is no span.
    /// - Parameter quantile: in 0...1.
    func quantile(_ quantile: Double) -> Int64? {
        durations.quantile(quantile).map { Int64(exactly: $0.rounded()) ?? .max }
    }

    mutating func add(_ other: OperationLatency) {
        spans += other.spans
        errors += other.errors
        let (sum, isTooMuch) = duration.addingReportingOverflow(other.duration)
        duration = isTooMuch ? .max : sum
        durations.merge(other.durations)
    }

    func precedes(_ other: OperationLatency) -> Bool {
        (key.start?.nanoseconds ?? 0, other.spans, key.service, key.name)
            < (other.key.start?.nanoseconds ?? 0, spans, other.key.service, other.key.name)
    }
}
