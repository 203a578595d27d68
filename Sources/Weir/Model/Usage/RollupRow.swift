/// A row of `span_rollups`: what one transaction adds to a minute of an operation.
struct RollupRow: Sendable {
    /// The columns, in the order of the tables.
    static let columns = [
        "minute", "tenant_id", "operation", "kind", "spans", "errors", "duration_ns", "input_tokens", "output_tokens",
        "total_cost", "unpriced", "durations", "service", "name", "model",
    ]

    struct Key: Hashable, Sendable {
        /// Since 1970.
        let minute: Int64
        let tenantID: Int32
        let operation: OperationKind
        let kind: UInt8
        let service: String
        let name: String
        /// Empty where the span is no call of a model.
        let model: String
    }

    var spans: Int64 = 0
    var errors: Int64 = 0
    /// The sum in nanoseconds, at most what 63 bits hold. Negative durations count as none.
    var duration: Int64 = 0
    var durations = DurationHistogram()
    var inputTokens: Int64 = 0
    var outputTokens: Int64 = 0
    /// In 10⁻¹² USD, over the calls whose cost is known.
    var totalCost: Int64 = 0
    /// Calls of a model whose cost is not known.
    var unpriced: Int64 = 0
}
