/// Keeps which budgets were used up, so that each crossing is reported once, by whichever process and after whatever
/// restart.
protocol BudgetLog: Sendable {
    /// Writes those that are not there yet, and those of a threshold that was raised since: once it is reached as well,
    /// that is news. Of a spike it is another one with every call that comes late.
    /// - Returns: these.
    func record(_ crossings: [BudgetCrossing]) async throws -> [BudgetCrossing]
    /// Those of these budgets that no webhook has taken, the oldest first, at most
    /// ``BudgetLogLimits/maximumUnnotified``.
    func unnotified(of budgets: [String], since time: Timestamp) async throws -> [BudgetCrossing]
    /// Before the webhook is told of a crossing, one at a time.
    /// - Returns: false where another process tells it, or has told it.
    func claim(_ crossing: BudgetCrossing) async throws -> Bool
    /// Leaves what was claimed to whoever comes next.
    func release() async throws
    /// Of what was claimed. Ends that as well.
    func noteNotified(_ crossing: BudgetCrossing, at now: Timestamp) async throws
}

enum BudgetLogLimits {
    static let maximumUnnotified = 1_000
    static let columns = [
        "budget", "tenant", "scope", "scope_id", "period", "window_start", "level", "threshold", "spent", "crossed_at",
    ]
}

extension BudgetCrossing {
    /// Reads the columns of ``BudgetLogLimits``, times as microseconds. Nil for what another Weir has written.
    init?(_ columns: [String?]) {
        let texts = columns.map { $0 ?? "" }
        func time(_ text: String) -> Timestamp? { UInt64(text).map { Timestamp(nanoseconds: $0 * 1_000) } }
        guard texts.count == BudgetLogLimits.columns.count, let scope = BudgetScope(rawValue: texts[2]),
            let window = BudgetWindow(rawValue: texts[4]), let start = time(texts[5]),
            let level = Level(rawValue: texts[6]),
            let threshold = Int128(dollars: texts[7]), let spent = Int128(dollars: texts[8]), let at = time(texts[9])
        else { return nil }
        self.init(
            key: Key(budget: texts[0], tenant: texts[1], id: texts[3], windowStart: start, level: level), scope: scope,
            window: window, threshold: threshold, spent: spent, at: at)
    }
}
