/// A row of a price list: what a model costs, from a day on and until another.
final class ModelPrice: Sendable {
    /// Rates for requests with so many input tokens, for all of their tokens.
    struct LongContext: Sendable {
        /// The first count that they hold for.
        let from: Int64
        let rates: Rates
    }

    /// Hours in UTC with other rates.
    struct OffPeak: Sendable {
        struct Window: Sendable {
            /// 1 is Monday.
            let weekdays: Set<Int>
            /// Minutes of the day.
            let minutes: [Range<Int>]
        }

        let windows: [Window]
        let rates: Rates

        /// - Parameter seconds: since 1970.
        func contains(_ seconds: Int) -> Bool {
            // 1970-01-01 was a Thursday.
            let weekday = (seconds / 86_400 + 3) % 7 + 1
            let minute = seconds % 86_400 / 60
            return windows.contains { window in
                window.weekdays.contains(weekday) && window.minutes.contains { $0.contains(minute) }
            }
        }
    }

    /// Names the price in `weir.cost.price`: `openai/gpt-4o@2026-02-03 for acme`, with a day where it begins on one;
    /// with `(own)` where it is of one's own list.
    let id: String
    let provider: String
    let model: String
    let aliases: [String]
    /// Whom it is for; nil for everybody.
    let tenant: String?
    let from: Timestamp
    let until: Timestamp
    let rates: Rates
    let longContext: LongContext?
    let serviceTiers: [String: RateChange]
    /// By the prefix of a cross-region profile.
    let regions: [String: RateChange]
    let offPeak: OffPeak?
    /// What most requests are charged, by ``UsageUnit/index``. Made once, since rates take longer to copy than to add
    /// up.
    private let standard: [Charge]
    /// From so many input tokens on others hold.
    private let longFrom: Int64

    init(
        provider: String, model: String, aliases: [String] = [], tenant: String? = nil, isOwn: Bool = false,
        from: Timestamp = Timestamp(nanoseconds: 0), until: Timestamp = Timestamp(nanoseconds: .max), rates: Rates,
        longContext: LongContext? = nil, serviceTiers: [String: RateChange] = [:],
        regions: [String: RateChange] = [:], offPeak: OffPeak? = nil
    ) {
        let day = from.nanoseconds > 0 ? "@\(CalendarTime(from).date)" : ""
        id = "\(provider)/\(model)\(day)\(tenant.map { " for \($0)" } ?? (isOwn ? " (own)" : ""))"
        (self.provider, self.model, self.aliases, self.tenant) = (provider, model, aliases, tenant)
        (self.from, self.until, self.rates, self.longContext) = (from, until, rates, longContext)
        (self.serviceTiers, self.regions, self.offPeak) = (serviceTiers, regions, offPeak)
        standard = UsageUnit.all.map { Charge(of: $0, rates, []) }
        longFrom = longContext?.from ?? .max
    }

    /// What providers call the tier that has the standard price.
    private static let standardTiers: Set<String> = ["", "default", "standard", "auto", "on_demand", "standard_only"]

    func holds(at time: Timestamp) -> Bool { from <= time && time < until }

    enum Outcome {
        case priced
        /// A unit that was used has no price.
        case unknown
        /// It is more than can be held, which no call is.
        case absurd
    }

    /// What a call costs, unit by unit; nil where that is not known.
    func cost(of usage: Usage, tier: String?, region: String?, at time: Timestamp) -> Cost? {
        var cost = Cost()
        return add(usage, to: &cost, tier: tier, region: region, at: time) == .priced ? cost : nil
    }

    /// The same, added to a cost.
    func add(_ usage: Usage, to cost: inout Cost, tier: String?, region: String?, at time: Timestamp) -> Outcome {
        let changes = changes(tier: tier, region: region, &cost)
        if changes.isEmpty, usage.inputTokens < longFrom, offPeak == nil {
            return Self.add(usage, to: &cost) { standard[$0.index] }
        }
        var rates = rates
        let isLong = usage.inputTokens >= longFrom
        if let longContext, isLong { rates = rates.changed(by: longContext.rates) }
        // What a tier or a region names is its price of a request of the usual length.
        let long = rates
        if let offPeak, offPeak.contains(Int(time.nanoseconds / 1_000_000_000)) {
            rates = rates.changed(by: offPeak.rates)
        }
        for change in changes {
            rates = rates.changed(by: isLong ? change.rates.scaled(from: self.rates, to: long) : change.rates)
        }
        return Self.add(usage, to: &cost) { Charge(of: $0, rates, changes) }
    }

    /// What the region and the service tier make of the rates.
    private func changes(tier: String?, region: String?, _ cost: inout Cost) -> [RateChange] {
        var changes: [RateChange] = []
        if let region, let change = regions[region] { changes.append(change) }
        if let tier {
            if let change = serviceTiers[tier] {
                changes.append(change)
            } else if !Self.standardTiers.contains(tier) {
                cost.noteUnknownTier()
            }
        }
        return changes
    }

    /// What one of a unit costs: the rate, times the factor, of which `scale` is 1.
    private struct Charge {
        /// Nil where there is no price.
        let rate: Int64?
        /// Whether it is charged as another unit because the list does not name it.
        let isSubstitute: Bool
        let factor: Int128
        let scale: Int128

        init(of unit: UsageUnit, _ rates: Rates, _ changes: [RateChange]) {
            rate = rates.rate(of: unit)
            // Reasoning is output wherever no list says otherwise.
            isSubstitute = rates[unit] == nil && unit != .reasoning
            var (factor, scale): (Int128, Int128) = (1, 1)
            for change in changes {
                factor *= Int128(change.factor(of: unit, in: rates))
                scale *= Int128(RateChange.one)
            }
            (self.factor, self.scale) = (factor, scale)
        }
    }

    @inline(__always)
    private static func add(_ usage: Usage, to cost: inout Cost, by charge: (UsageUnit) -> Charge) -> Outcome {
        for (unit, count) in usage.units {
            let charge = charge(unit)
            guard let rate = charge.rate else { return .unknown }
            if charge.isSubstitute { cost.noteSubstitute(of: unit) }
            // Below 2³⁶ of 2³⁶ pico-dollars, times two factors below 2²⁴.
            var amount = Int128(count) * Int128(rate) * charge.factor
            // A division of so many bits costs more than all of the rest.
            if charge.scale > 1 { amount = (amount + charge.scale / 2) / charge.scale }
            guard cost.add(amount, to: unit) else { return .absurd }
        }
        return .priced
    }
}
