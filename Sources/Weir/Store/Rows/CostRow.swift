/// The first entry of a span in `cost_ledger`: what it costs, and whose cost that is.
struct CostRow: BitwiseCopyable {
    /// Why an entry was made.
    enum Reason: UInt8 {
        /// A call was stored.
        case call
        /// What sums up calls was stored, and says itself what they used.
        case aggregate

        var name: StaticString {
            switch self {
            case .call: "call"
            case .aggregate: "aggregate"
            }
        }
    }

    /// The columns, in the order of the tables.
    static let columns = [
        "start_time", "trace_id", "span_id", "entry", "tenant_id", "reason", "status", "calls", "unpriced",
        "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_cost",
        "cost_source", "price", "service_tier", "usage", "operation", "parent_span_id", "sampled_out", "service",
        "provider", "request_model",
        "model", "response_id", "agent", "workflow", "session_id", "conversation_id", "user_id", "call_id",
    ]

    let reason: Reason
    let status: CostStatus
    /// The row of the price list; absent where there is none.
    let price: TextRef
    let serviceTier: TextRef
    /// ``Usage/text``; absent where it is not known.
    let parts: TextRef
    var usage: UsageRow

    /// 1 for a call; what sums up calls is none.
    var calls: Int16 { reason == .call ? 1 : 0 }
    /// 1 for a call whose cost is not known.
    var unpriced: Int16 { reason == .call && usage.totalCost == nil ? 1 : 0 }
}
