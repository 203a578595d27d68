/// The price of each unit, in 10⁻¹² USD for one: whole numbers, since price lists have at most six decimals for a
/// million.
struct Rates: Sendable {
    private static let none: Int64 = -1
    private static let maximum: Int64 = (1 << 36) - 1

    private var rates: InlineArray<18, Int64>

    init() {
        rates = InlineArray(repeating: Self.none)
    }

    /// Nil where the list has none.
    subscript(unit: UsageUnit) -> Int64? {
        get {
            let rate = rates[unit.index]
            return rate == Self.none ? nil : rate
        }
        set { rates[unit.index] = newValue ?? Self.none }
    }

    /// What the unit is charged; nil where neither it nor what it may be charged as has a price.
    func rate(of unit: UsageUnit) -> Int64? {
        self[unit] ?? unit.substitute.flatMap { rate(of: $0) }
    }

    var isEmpty: Bool { UsageUnit.all.allSatisfy { self[$0] == nil } }

    /// These, and those that `changes` names instead.
    func changed(by changes: Rates) -> Rates {
        var rates = self
        for unit in UsageUnit.all { rates[unit] = changes[unit] ?? self[unit] }
        return rates
    }

    /// These, as much higher or lower as `other` is than `base`.
    func scaled(from base: Rates, to other: Rates) -> Rates {
        var rates = self
        for unit in UsageUnit.all {
            guard let rate = self[unit], let base = base.rate(of: unit), base > 0, let other = other.rate(of: unit)
            else { continue }
            let scaled = (Int128(rate) * Int128(other) + Int128(base) / 2) / Int128(base)
            rates[unit] = Int64(min(scaled, Int128(Self.maximum)))
        }
        return rates
    }

    /// Reads `2.5`, USD for a million, as 2,500,000 pico-dollars for one. Below 68,719 USD for a million.
    static func parse(_ text: String) throws(ConfigError) -> Int64 {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = parts[0] + fraction
        guard !parts[0].isEmpty, fraction.utf8.count <= 6, digits.utf8.count <= 15,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(digits + String(repeating: "0", count: 6 - fraction.utf8.count)), number <= maximum
        else {
            throw ConfigError(
                found: text.quotedForMessage, wanted: "USD for a million, with at most six decimals, such as 2.5")
        }
        return number
    }
}
