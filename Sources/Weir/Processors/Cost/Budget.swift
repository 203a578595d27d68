/// What may be spent in a time, and what is to be said when it was.
struct Budget: Sendable {
    /// In 10⁻¹² USD.
    enum Limits: Sendable {
        case thresholds(soft: Int64?, hard: Int64?)
        /// So many millionths of what was spent in an hour of the last day, on average; at least `above`.
        case spike(times: Int64, above: Int64)
    }

    let name: String
    let scope: BudgetScope
    let window: BudgetWindow
    /// The only one that it is for; nil for each.
    let tenant: String?
    let id: String?
    let limits: Limits
    /// Of how many, who have spent most, a metric says how much.
    var top = 0

    static let maximumTop = 50

    static func pico(_ text: String) throws(ConfigError) -> Int64 {
        let amount = Array(text.utf8).withUnsafeBytes { GenAIAttributes.pico($0) }
        guard let amount, amount > 0 else {
            throw ConfigError(found: text.quotedForMessage, wanted: "an amount of USD above 0, such as 5.00")
        }
        return amount
    }
}

extension Budget {
    /// An entry of `budgets`.
    init(_ fields: inout Fields) {
        scope = fields.choice("scope", default: nil, "Whose spending: each tenant's, user's, agent's, model's, run's.")
        window = fields.choice("window", default: scope == .run ? .run : .day, "In what time, in UTC.")
        let usual = scope == .run ? "run" : "\(scope.rawValue)-\(window.rawValue)"
        name = fields.string("name", default: usual, "What it is called in messages and metrics.")
        tenant = fields.optionalString("tenant", "The only tenant that it is for.")
        id = fields.optionalString("id", "The only user, agent or model that it is for.")
        let soft = Self.amount("soft", "USD from which on somebody is told.", &fields)
        let hard = Self.amount("hard", "USD from which on the check says no.", &fields)
        limits = .thresholds(soft: soft, hard: hard)
        top = fields.int(
            "top", default: 0, in: 0...Self.maximumTop, "Of how many, who have spent most, a metric says how much.")
        if (scope == .run) != (window == .run) {
            fields.reject("window", "found \(window.rawValue) for scope \(scope.rawValue), wanted run for run alone")
        }
        if !(1...64).contains(name.utf8.count) { fields.reject("name", "wanted 1 to 64 bytes") }
        if !fields.keys.contains("soft"), !fields.keys.contains("hard") {
            fields.reject("", "has no threshold, wanted soft or hard")
        }
        if let soft, let hard, soft >= hard {
            fields.reject("soft", "found \(Cost.text(soft)), wanted less than hard, which is \(Cost.text(hard))")
        }
    }

    /// The section `spikes`.
    init(spikes fields: inout Fields) {
        let usual = Factor(millionths: 2 * RateChange.one)
        let times = fields.parsed("times", default: usual, type: "number", "How much more than before.") {
            (text) throws(ConfigError) in
            let times = try Factor(parsing: text)
            guard times.millionths > RateChange.one, times.millionths <= 1_000 * RateChange.one else {
                throw ConfigError(found: text, wanted: "more than 1 and at most 1000")
            }
            return times
        }
        let above = Self.amount("above", "USD in an hour that are never a spike.", &fields) ?? 1_000_000_000_000
        (name, scope, window, tenant, id) = ("spike", .tenant, .hour, nil, nil)
        limits = .spike(times: times.millionths, above: above)
    }

    private static func amount(_ key: String, _ help: String, _ fields: inout Fields) -> Int64? {
        fields.parsed(key, default: Int64?.none, type: "amount", help) { (text) throws(ConfigError) in try pico(text) }
    }
}
