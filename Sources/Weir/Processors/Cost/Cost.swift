/// What a call costs, in 10⁻¹² USD.
struct Cost: Sendable {
    private(set) var parts: InlineArray<18, Int64> = InlineArray(repeating: 0)
    private(set) var total: Int64 = 0
    /// Units that were charged as another because the list does not name them, a bit each.
    private var substituted: UInt32 = 0
    /// No list has the service tier, and the standard one was charged.
    var hasUnknownTier = false

    subscript(unit: UsageUnit) -> Int64 { parts.span[unit.index] }

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
    }

    /// What was charged as something else, by name; nil where nothing was.
    var fallback: String? {
        guard substituted != 0 || hasUnknownTier else { return nil }
        let units = UsageUnit.all.filter { substituted & (1 << UInt32($0.index)) != 0 }.map(\.rawValue)
        return (units + (hasUnknownTier ? ["service_tier"] : [])).joined(separator: " ")
    }

    /// `0.000195`: USD, exactly, without zeros at the end.
    static func text(_ amount: Int64) -> String {
        var digits = [UInt8](repeating: 0, count: maximumDigits)
        let start = write(amount, to: &digits)
        return String(decoding: digits[start...], as: UTF8.self)
    }

    /// Bytes of the longest ``text(_:)``.
    static let maximumDigits = 20

    /// The same, at the end of the digits.
    /// - Parameter digits: ``maximumDigits`` of them; kept from one amount to the next, they cost no memory.
    /// - Returns: where it begins.
    static func write(_ amount: Int64, to digits: inout [UInt8]) -> Int {
        var rest = UInt64(max(0, amount))
        var place = 0
        // Twelve decimals, of which the last zeros are left out; list prices leave many.
        while place < 12, rest % 1_000 == 0 {
            rest /= 1_000
            place += 3
        }
        while place < 12, rest % 10 == 0 {
            rest /= 10
            place += 1
        }
        let hasFraction = place < 12
        var start = maximumDigits
        func put(_ byte: UInt8, _ digits: inout [UInt8]) {
            start -= 1
            digits[start] = byte
        }
        while place < 12 {
            put(UInt8(0x30 + rest % 10), &digits)
            rest /= 10
            place += 1
        }
        if hasFraction { put(UInt8(ascii: "."), &digits) }
        repeat {
            put(UInt8(0x30 + rest % 10), &digits)
            rest /= 10
        } while rest > 0
        return start
    }
}
