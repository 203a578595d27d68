// What other replicas keep.
extension TraceWindow {
    /// Whether others have to be told of a decision, because they may have come to another.
    func isNews(_ decided: Decided) -> Bool {
        guard decided.decision.isKept, decided.cause != .heard else { return false }
        let name = names[decided.decision.rule]
        return policies.policies.contains { $0.name == name && !$0.rule.isTheSameEverywhere }
    }

    /// Keeps a trace that another replica keeps: what is here of it, and what is to come.
    /// - Returns: whether it was left out here before.
    mutating func hear(_ kept: KeptTrace, at now: Timestamp) -> Bool {
        let decision = TraceDecision(
            threshold: kept.threshold, isKept: true, rule: names.number(of: kept.rule), isHeard: true)
        let known = cache[kept.trace]
        if known?.isKept ?? false { return false }
        cache.add(kept.trace, decision)
        if let slot = index[kept.trace] {
            if slots[Int(slot)].decision == nil {
                if slots[Int(slot)].pending != nil { pending.removeAll { $0 == slot } }
                finish(slot, decision, .heard, due: now, at: now)
            } else {
                // What of it is still to leave, leaves by the new decision.
                slots[Int(slot)].decision = decision
                slots[Int(slot)].isNoted = false
            }
        }
        return known != nil
    }
}
