/// What a call costs, in 10⁻¹² USD.
struct Cost: Sendable {
    private(set) var parts: InlineArray<18, Int64> = InlineArray(repeating: 0)
    private(set) var total: Int64 = 0

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

    /// `0.000195`: USD, exactly, without zeros at the end.
    static func text(_ amount: Int64) -> String {
        let whole = String(amount / 1_000_000_000_000)
        var fraction = String(amount % 1_000_000_000_000)
        guard fraction != "0" else { return whole }
        fraction = String(repeating: "0", count: 12 - fraction.utf8.count) + fraction
        return whole + "." + fraction[...(fraction.lastIndex { $0 != "0" } ?? fraction.startIndex)]
    }
}
