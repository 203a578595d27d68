/// What calls of models cost together.
struct CostSummary: AggregateRow, Equatable {
    struct Key: Hashable, Sendable {
        let dimension: CostQuery.Dimension
        /// Of the step; nil where there is none.
        let start: Timestamp?
        /// The tenant, user, model, …; nil where the calls do not say.
        let who: String?
    }

    let key: Key
    var calls: Int64
    /// Of these, those whose cost is not known.
    var unpriced: Int64
    /// Of the calls that say so, at most what 63 bits hold.
    var inputTokens: Int64
    var outputTokens: Int64
    var cacheReadTokens: Int64
    var cacheWriteTokens: Int64
    var reasoningTokens: Int64
    /// Entries that have a cost.
    var priced: Int64
    /// In 10⁻¹² USD, as the parts of it by source that follow.
    var picoDollars: Int128
    var byTable: Int128
    var byProvider: Int128
    var byEstimate: Int128

    /// In USD, with twelve decimals; nil where no cost is known: unknown is not free.
    var cost: String? { priced > 0 ? picoDollars.inDollars : nil }

    mutating func add(_ other: CostSummary) {
        calls += other.calls
        unpriced += other.unpriced
        inputTokens = Self.sum(inputTokens, other.inputTokens)
        outputTokens = Self.sum(outputTokens, other.outputTokens)
        cacheReadTokens = Self.sum(cacheReadTokens, other.cacheReadTokens)
        cacheWriteTokens = Self.sum(cacheWriteTokens, other.cacheWriteTokens)
        reasoningTokens = Self.sum(reasoningTokens, other.reasoningTokens)
        priced += other.priced
        picoDollars += other.picoDollars
        byTable += other.byTable
        byProvider += other.byProvider
        byEstimate += other.byEstimate
    }

    func precedes(_ other: CostSummary) -> Bool {
        (key.start?.nanoseconds ?? 0, other.picoDollars, other.calls, key.who ?? "")
            < (other.key.start?.nanoseconds ?? 0, picoDollars, calls, other.key.who ?? "")
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, isTooMuch) = left.addingReportingOverflow(right)
        return isTooMuch ? .max : sum
    }
}

extension CostSummary: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("start_time", key.start)
        line.add("by", key.dimension.rawValue)
        line.add("who", key.who)
        line.add("calls", calls)
        line.add("unpriced", unpriced)
        line.add("input_tokens", inputTokens)
        line.add("output_tokens", outputTokens)
        line.add("cache_read_tokens", cacheReadTokens)
        line.add("cache_write_tokens", cacheWriteTokens)
        line.add("reasoning_tokens", reasoningTokens)
        // In quotes, because a number with twelve decimals is not what most readers of JSON would keep.
        line.add("total_cost", cost)
        line.add("table_cost", byTable.inDollars)
        line.add("provider_cost", byProvider.inDollars)
        line.add("estimate_cost", byEstimate.inDollars)
    }
}

extension Int128 {
    /// Pico-dollars as USD, with twelve decimals.
    var inDollars: String {
        let (dollars, rest) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        return "\(self < 0 ? "-" : "")\(dollars).\(UInt64(rest).digits(12))"
    }
}
