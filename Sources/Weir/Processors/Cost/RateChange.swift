/// What a circumstance makes of the rates: other rates, or some of them times a factor.
struct RateChange: Sendable {
    static let one: Int64 = 1_000_000

    var rates = Rates()
    /// In millionths.
    var factor = one
    /// What the factor holds for; nil for everything.
    var units: Set<UsageUnit>?

    /// In millionths. What is charged as another unit is changed as that one.
    func factor(of unit: UsageUnit, in base: Rates) -> Int64 {
        guard let units, !units.contains(unit) else { return factor }
        guard base[unit] == nil, let other = unit.substitute else { return Self.one }
        return factor(of: other, in: base)
    }
}
