/// What calls of models used and cost together.
struct UsageSummary: AggregateRow, Equatable {
    struct Key: Hashable, Sendable {
        let dimension: UsageQuery.Dimension
        /// Of the step; nil where there is none.
        let start: Timestamp?
        /// The tenant, user, model or agent; nil where the calls do not say.
        let who: String?
    }

    let key: Key
    var calls: Int64
    var errors: Int64
    /// Of the calls that say so.
    var inputTokens: Int64
    var outputTokens: Int64
    var cacheReadTokens: Int64
    var cacheWriteTokens: Int64
    var reasoningTokens: Int64
    /// Calls whose cost is known.
    var pricedCalls: Int64
    /// Of those, in 10⁻¹² USD.
    var picoDollars: Int128

    var unpricedCalls: Int64 { calls - pricedCalls }

    /// In USD, with twelve decimals; nil where no call has a known cost: unknown is not free.
    var cost: String? {
        guard pricedCalls > 0 else { return nil }
        return picoDollars.inDollars
    }

    mutating func add(_ other: UsageSummary) {
        calls += other.calls
        errors += other.errors
        inputTokens = Self.sum(inputTokens, other.inputTokens)
        outputTokens = Self.sum(outputTokens, other.outputTokens)
        cacheReadTokens = Self.sum(cacheReadTokens, other.cacheReadTokens)
        cacheWriteTokens = Self.sum(cacheWriteTokens, other.cacheWriteTokens)
        reasoningTokens = Self.sum(reasoningTokens, other.reasoningTokens)
        pricedCalls += other.pricedCalls
        picoDollars += other.picoDollars
    }

    func precedes(_ other: UsageSummary) -> Bool {
        (key.start?.nanoseconds ?? 0, other.picoDollars, other.calls, key.who ?? "")
            < (other.key.start?.nanoseconds ?? 0, picoDollars, calls, other.key.who ?? "")
    }

    /// At most what 63 bits hold, since senders choose the numbers.
    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, isTooMuch) = left.addingReportingOverflow(right)
        return isTooMuch ? .max : sum
    }
}
