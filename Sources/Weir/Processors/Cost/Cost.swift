/// What a call costs, in 10⁻¹² USD.
struct Cost: Sendable {
    private(set) var parts: InlineArray<18, Int64> = InlineArray(repeating: 0)
    private(set) var total: Int64 = 0
    /// Units that were charged as another because the list does not name them, a bit each.
    private var substituted: UInt32 = 0
    /// No list has the service tier, and the standard one was charged.
    private(set) var hasUnknownTier = false

    subscript(unit: UsageUnit) -> Int64 { parts[unit.index] }

    /// - Returns: false where the sum is more than 9.2 million USD.
    mutating func add(_ amount: Int128, to unit: UsageUnit) -> Bool {
        guard let amount = Int64(exactly: amount) else { return false }
        let (sum, overflow) = total.addingReportingOverflow(amount)
        guard !overflow else { return false }
        parts[unit.index] += amount
        total = sum
        return true
    }

    mutating func noteSubstitute(of unit: UsageUnit) {
        substituted |= 1 << UInt32(unit.index)
        hasFallback = true
    }

    mutating func noteUnknownTier() {
        (hasUnknownTier, hasFallback) = (true, true)
    }

    /// Whether something was charged as something else.
    private(set) var hasFallback = false

    /// What was, by name.
    var fallback: String {
        let units = UsageUnit.all.filter { substituted & (1 << UInt32($0.index)) != 0 }.map(\.rawValue)
        return (units + (hasUnknownTier ? ["service_tier"] : [])).joined(separator: " ")
    }

    /// `0.000195`: USD, exactly, without zeros at the end.
    static func text(_ amount: Int64) -> String {
        let text = CostText(amount)
        return String(unsafeUninitializedCapacity: text.count) { bytes in
            bytes.baseAddress.map(text.write)
            return text.count
        }
    }
}
