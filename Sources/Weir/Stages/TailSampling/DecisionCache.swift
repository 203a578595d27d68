/// The decisions that are remembered for spans that come late: the newest of those that kept a trace, and of those that
/// did not. The oldest are forgotten half of them at a time.
struct DecisionCache {
    private struct Half {
        var older: [TenantTrace: TraceDecision] = [:]
        var newer: [TenantTrace: TraceDecision] = [:]
        let limit: Int

        mutating func set(_ trace: TenantTrace, _ decision: TraceDecision) {
            if newer.count >= max(1, limit / 2) {
                older = newer
                newer = [:]
            }
            newer[trace] = decision
        }
    }

    private var kept: Half
    private var dropped: Half

    init(kept: Int, dropped: Int) {
        self.kept = Half(limit: kept)
        self.dropped = Half(limit: dropped)
    }

    var count: Int { kept.older.count + kept.newer.count + dropped.older.count + dropped.newer.count }

    subscript(trace: TenantTrace) -> TraceDecision? {
        kept.newer[trace] ?? kept.older[trace] ?? dropped.newer[trace] ?? dropped.older[trace]
    }

    /// The first decision about a trace holds, but that one which was not kept may be kept after all, because another
    /// replica keeps it.
    mutating func add(_ trace: TenantTrace, _ decision: TraceDecision) {
        if let known = self[trace], known.isKept || !decision.isKept { return }
        if decision.isKept { kept.set(trace, decision) } else { dropped.set(trace, decision) }
    }
}
