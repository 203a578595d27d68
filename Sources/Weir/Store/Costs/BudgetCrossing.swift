/// A budget was used up to a threshold.
struct BudgetCrossing: Sendable, Equatable {
    enum Level: String, Sendable {
        case soft, hard, spike
    }

    /// What there is once.
    struct Key: Hashable, Sendable {
        let budget: String
        let tenant: String
        /// The user, agent, model or run; empty for the tenant.
        let id: String
        /// 1970 for a run.
        let windowStart: Timestamp
        let level: Level
    }

    let key: Key
    let scope: BudgetScope
    let window: BudgetWindow
    /// In 10⁻¹² USD.
    let threshold: Int128
    /// When it was found out.
    let spent: Int128
    let at: Timestamp
}

extension BudgetCrossing: JSONRow {
    func write(to line: inout JSONLine) {
        line.add("budget", key.budget)
        line.add("level", key.level.rawValue)
        line.add("tenant", key.tenant)
        line.add("scope", scope.rawValue)
        line.add("id", key.id.isEmpty ? nil : key.id)
        line.add("window", window.rawValue)
        line.add("window_start", window == .run ? nil : key.windowStart)
        line.add("threshold", threshold.inDollars)
        line.add("spent", spent.inDollars)
        line.add("crossed_at", at)
    }
}

extension Int128 {
    /// Reads ``inDollars``, or what a database makes of it; nil where it is something else.
    init?(dollars text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? parts[1] : ""
        guard fraction.utf8.count <= 12, let whole = Int128(parts[0] + fraction) else { return nil }
        self = (fraction.utf8.count..<12).reduce(whole) { sum, _ in sum * 10 }
    }
}
