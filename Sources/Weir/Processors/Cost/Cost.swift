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
        var digits: [UInt8] = []
        write(amount, to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }

    /// The same.
    /// - Parameter digits: is emptied first; kept from one amount to the next, it costs no memory.
    static func write(_ amount: Int64, to digits: inout [UInt8]) {
        digits.removeAll(keepingCapacity: true)
        var rest = UInt64(max(0, amount))
        // From the end: twelve decimals of which the last zeros are left out, a point, and at least one digit.
        var place = 0
        while place < 12, rest % 10 == 0 {
            rest /= 10
            place += 1
        }
        let hasFraction = place < 12
        while place < 12 {
            digits.append(UInt8(0x30 + rest % 10))
            rest /= 10
            place += 1
        }
        if hasFraction { digits.append(UInt8(ascii: ".")) }
        repeat {
            digits.append(UInt8(0x30 + rest % 10))
            rest /= 10
        } while rest > 0
        digits.reverse()
    }
}
