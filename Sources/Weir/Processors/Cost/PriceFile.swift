/// A price list in YAML: `models`, a list of rows. The list that comes with Weir and a user's own have the same keys.
struct PriceFile: Sendable {
    static let maximumModels = 10_000

    let models: [ModelPrice]

    init(_ fields: inout Fields) {
        self.init(&fields, isOwn: false)
    }

    /// A user's own list.
    static func own(_ fields: inout Fields) -> PriceFile {
        PriceFile(&fields, isOwn: true)
    }

    private init(_ fields: inout Fields, isOwn: Bool) {
        models = fields.list("models", count: 0...Self.maximumModels, "The prices.") { ModelPrice(&$0, isOwn: isOwn) }
        rejectDoubles(&fields)
    }

    private struct Name: Hashable {
        let tenant: String?
        let provider: String
        let model: String
    }

    /// Of two rows that hold for the same model at the same time nobody knows which is meant.
    private func rejectDoubles(_ fields: inout Fields) {
        var rows: [Name: [ModelPrice]] = [:]
        for price in models {
            for model in Set([price.model] + price.aliases) {
                let name = Name(tenant: price.tenant, provider: price.provider, model: model)
                let others = rows[name] ?? []
                if others.contains(where: { $0.from < price.until && price.from < $0.until }) {
                    fields.reject("models", "found two prices of \(price.provider)/\(model) at one time, wanted one")
                }
                rows[name] = others + [price]
            }
        }
    }
}

extension ModelPrice {
    fileprivate convenience init(_ fields: inout Fields, isOwn: Bool) {
        let provider = fields.string("provider", "Whose model it is: openai, anthropic, bedrock, …")
        let model = fields.string("model", "The model's name, without provider and region.")
        let aliases = fields.strings("aliases", default: [], count: 0...100, "Other names of the same model.")
        let tenant = fields.optionalString("tenant", "The tenant that it is for; everybody where it is left out.")
        let from = fields.parsed("from", default: Timestamp(nanoseconds: 0), type: "date", "The first day, in UTC.") {
            (text) throws(ConfigError) in try Timestamp(date: text)
        }
        let until = fields.parsed(
            "until", default: Timestamp(nanoseconds: .max), type: "date", "The day after the last."
        ) {
            (text) throws(ConfigError) in try Timestamp(date: text)
        }
        let rates = fields.section("prices", "USD for a million of each unit.") { Rates(&$0) }
        let longContext = fields.optionalSection("long_context", "Prices of all tokens of a long request.") {
            LongContext(&$0)
        }
        let serviceTiers = RateChange.table("service_tiers", "What a service tier changes.", from: &fields)
        let regions = RateChange.table("regions", "What a cross-region prefix of the name changes.", from: &fields)
        let offPeak = fields.optionalSection("off_peak", "Prices at some hours.") { OffPeak(&$0) }
        if until <= from { fields.reject("until", "found a day that is not after from, wanted a later one") }
        for (key, names) in [("provider", [provider]), ("model", [model]), ("aliases", aliases)] {
            guard let odd = names.first(where: { $0.contains(where: \.isWhitespace) }) else { continue }
            fields.reject(key, "found \(odd.quotedForMessage), wanted a name without blanks, as spans are compared")
        }
        if rates.isEmpty, !fields.diagnostics.hasErrors {
            fields.reject("prices", "is missing or empty, wanted the price of a unit")
        }
        self.init(
            provider: ModelName.provider(provider.lowercased()) ?? provider.lowercased(), model: model.lowercased(),
            aliases: aliases.map { $0.lowercased() }, tenant: tenant, isOwn: isOwn, from: from, until: until,
            rates: rates, longContext: longContext,
            serviceTiers: serviceTiers, regions: regions, offPeak: offPeak)
    }
}

extension Rates {
    fileprivate init(_ fields: inout Fields) {
        self.init()
        for unit in UsageUnit.all {
            self[unit] = fields.parsed(unit.rawValue, default: Int64?.none, type: "price", "USD for a million.") {
                (text) throws(ConfigError) in try Rates.parse(text)
            }
        }
    }
}

extension RateChange {
    fileprivate static func table(
        _ key: String, _ help: String, from fields: inout Fields
    ) -> [String: RateChange] {
        let rows = fields.named(key, count: 0...50, help) { name, fields in
            var change = RateChange()
            let factor = fields.parsed("times", default: Factor.one, type: "number", "A factor.") {
                (text) throws(ConfigError) in
                let factor = try Factor(parsing: text)
                guard factor.millionths <= 10 * RateChange.one else {
                    throw ConfigError(found: text, wanted: "at most 10")
                }
                return factor
            }
            change.factor = factor.millionths
            let units = fields.parsedList("of", count: 0...UsageUnit.count, "What the factor is for; else all.") {
                (text) throws(ConfigError) in
                guard let unit = UsageUnit(rawValue: text) else {
                    let units = UsageUnit.all.map(\.rawValue).joined(separator: ", ")
                    throw ConfigError(found: text.quotedForMessage, wanted: "one of \(units)")
                }
                return unit
            }
            change.units = units.isEmpty ? nil : Set(units)
            change.rates = Rates(&fields)
            return (name.lowercased(), change)
        }
        return Dictionary(rows) { first, _ in first }
    }
}

extension ModelPrice.LongContext {
    fileprivate init(_ fields: inout Fields) {
        let tokens = 0...Int(Usage.Counts.maximum)
        let above = fields.int("above", default: 0, in: tokens, "They hold for more input tokens than this.")
        let from = fields.int("from", default: 0, in: tokens, "They hold for as many, in place of above.")
        if (above > 0) == (from > 0) { fields.reject("", "wanted above or from") }
        self.from = Int64(from > 0 ? from : above + 1)
        rates = Rates(&fields)
    }
}

extension ModelPrice.OffPeak {
    fileprivate init(_ fields: inout Fields) {
        windows = fields.list("windows", count: 1...20, "When they hold.") { fields in
            let days = fields.parsedList("weekdays", count: 1...7, "1 is Monday.") { (text) throws(ConfigError) in
                guard let day = Int(text), (1...7).contains(day) else {
                    throw ConfigError(found: text.quotedForMessage, wanted: "a weekday, 1 to 7")
                }
                return day
            }
            let hours = fields.parsedList("hours", count: 1...24, "In UTC, as 04:00-06:00.") {
                (text) throws(ConfigError) in try Self.minutes(text)
            }
            return Window(weekdays: Set(days), minutes: hours)
        }
        rates = Rates(&fields)
    }

    private static func minutes(_ text: String) throws(ConfigError) -> Range<Int> {
        let ends = text.split(separator: "-").map { end -> Int? in
            let parts = end.split(separator: ":").map { Int($0) }
            guard parts.count == 2, let hour = parts[0], let minute = parts[1], (0...59).contains(minute),
                (0...(24 * 60)).contains(hour * 60 + minute)
            else { return nil }
            return hour * 60 + minute
        }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else {
            throw ConfigError(found: text.quotedForMessage, wanted: "hours such as 04:00-06:00")
        }
        return start..<end
    }
}

extension Timestamp {
    /// Reads `2026-02-03`, the start of that day in UTC.
    fileprivate init(date text: String) throws(ConfigError) {
        let error = ConfigError(found: text.quotedForMessage, wanted: "a date such as 2026-02-03")
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard text.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { throw error }
        // Days before the year, then one day after the other: CalendarTime knows the way back.
        var number = (year - 1970) * 365
        while CalendarTime(secondsSince1970: number * 86_400).date < text { number += 1 }
        guard CalendarTime(secondsSince1970: number * 86_400).date == text else { throw error }
        self.init(nanoseconds: UInt64(number) * 86_400_000_000_000)
    }
}
