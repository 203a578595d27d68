/// A row of `llm_usage`: what one call of a model used.
struct UsageRow: BitwiseCopyable {
    /// The columns, in the order of the tables.
    static let columns = [
        "start_time", "trace_id", "span_id", "tenant_id", "status", "operation", "duration_ns",
        "time_to_first_token_ns",
        "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_cost",
        "cost_source", "service", "provider", "request_model", "model", "response_id", "agent", "workflow",
        "session_id", "conversation_id", "user_id", "call_id", "sampled_out_by",
    ]

    /// The index of the span among the rows; what both have in common is taken from there.
    var span: Int
    /// Nanoseconds.
    var timeToFirstToken: Int64?
    var inputTokens: Int64?
    var outputTokens: Int64?
    var cacheReadTokens: Int64?
    var cacheWriteTokens: Int64?
    var reasoningTokens: Int64?
    /// In 10⁻¹² USD; nil is unknown.
    var totalCost: Int64?
    var costSource: CostSource?
    var provider: TextRef
    /// What was asked for.
    var requestModel: TextRef
    /// What answered, else what was asked for.
    var model: TextRef
    var responseID: TextRef
    var agent: TextRef
    var workflow: TextRef
    /// The rule that left the span out; absent where none did.
    var sampledOutBy: TextRef

    var isSampledOut: Bool { !sampledOutBy.isAbsent }

    mutating func forgetCounts() {
        (inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens) = (nil, nil, nil, nil, nil)
    }
}
