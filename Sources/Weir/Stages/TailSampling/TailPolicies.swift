/// The policies of a stage, and what they make of a trace. No I/O; time is an argument.
///
/// A trace that several policies may keep is kept by the lowest of their thresholds. That is what the OpenTelemetry
/// Collector's "one of them" comes to where all compare the same randomness, and it has a probability that can be
/// written down. `drop` goes before all others.
struct TailPolicies: Sendable {
    struct Policy: Sendable {
        let name: String
        let rule: TailRule
        var isDrop = false
    }

    struct Limit: Sendable {
        enum Unit: Sendable { case spans, bytes }

        let unit: Unit
        let rate: Double
        let burst: Double
    }

    enum Verdict: Equatable {
        case decided(SamplingThreshold, isKept: Bool, policy: Int?)
        /// Limiters have yet to say; see ``TailPolicies/claim(_:for:of:at:)``.
        case depends(Set<Int>)
    }

    let policies: [Policy]
    private let limits: [Limit]
    private var limiters: [SampleLimiter]

    init(_ policies: [Policy], limits: [Limit] = []) {
        self.policies = policies
        self.limits = limits
        limiters = limits.map { SampleLimiter(rate: $0.rate, burst: $0.burst) }
    }

    /// What is known without asking a limiter.
    func verdict(on trace: TraceSummary) -> Verdict {
        for (index, policy) in policies.enumerated() where policy.isDrop {
            if policy.rule.threshold(of: trace, limits: { _ in .never }) == .always {
                return .decided(.never, isKept: false, policy: index)
            }
        }
        // One that is kept whatever its randomness is does not use up what a limiter may keep.
        let (certain, policy) = lowest(trace) { _ in .never }
        if certain == .always { return .decided(.always, isKept: true, policy: policy) }
        guard !limiters.isEmpty else {
            return .decided(certain, isKept: certain.keeps(trace.randomness), policy: policy)
        }
        let (hopeful, hopefulPolicy) = lowest(trace) { _ in .always }
        guard hopeful.keeps(trace.randomness) else { return .decided(hopeful, isKept: false, policy: hopefulPolicy) }
        let asked = policies.reduce(into: Set<Int>()) { asked, policy in
            if !policy.isDrop { asked.formUnion(policy.rule.limiters(for: trace)) }
        }
        return asked.isEmpty ? .decided(certain, isKept: true, policy: policy) : .depends(asked)
    }

    /// Asks limiters for a trace. Their answer comes with ``close(at:)``.
    mutating func claim(_ limiters: Set<Int>, for trace: TraceSummary, of tenant: Int, at now: Timestamp) {
        for index in limiters {
            let size = limits[index].unit == .spans ? trace.spans : trace.bytes
            let claim = SampleLimiter.Claim(tenant: tenant, randomness: trace.randomness, size: size)
            self.limiters[index].add(claim, at: now)
        }
    }

    /// When a limiter answers; nil where none was asked.
    var due: Timestamp? { limiters.compactMap(\.due).min() }

    /// Lets all limiters answer that were asked: all at once, because a trace may depend on several.
    mutating func close(at now: Timestamp) {
        for index in limiters.indices where limiters[index].due != nil { limiters[index].close(at: now) }
    }

    /// With what limiters last answered.
    func answer(
        on trace: TraceSummary, of tenant: Int
    ) -> (threshold: SamplingThreshold, isKept: Bool, policy: Int?) {
        if case .decided(let threshold, let isKept, let policy) = verdict(on: trace) {
            return (threshold, isKept, policy)
        }
        let (threshold, policy) = lowest(trace) { limiters[$0].threshold(of: tenant) }
        return (threshold, threshold.keeps(trace.randomness), policy)
    }

    private func lowest(
        _ trace: TraceSummary, _ limits: (Int) -> SamplingThreshold
    ) -> (SamplingThreshold, policy: Int?) {
        var lowest = SamplingThreshold.never
        var chosen: Int?
        for (index, policy) in policies.enumerated() where !policy.isDrop {
            let threshold = policy.rule.threshold(of: trace, limits: limits)
            guard threshold < lowest else { continue }
            (lowest, chosen) = (threshold, index)
            if threshold == .always { break }
        }
        return (lowest, chosen)
    }
}
