/// When a policy keeps a trace, as a threshold for the trace's randomness: all policies compare the same number, so
/// that the lowest threshold says with which probability a trace is kept that several of them may keep.
indirect enum TailRule: Sendable {
    case always
    case never
    case probability(SamplingThreshold)
    /// A test that holds for a span, by its number.
    case test(Int)
    /// Nanoseconds.
    case duration(ClosedRange<UInt64>)
    case spanCount(ClosedRange<Int>)
    /// In proportion to what the trace cost: all that cost `full`, in 10⁻¹² USD, or more; never less than `floor`, a
    /// part of 1.
    case cost(full: Int64, floor: Double)
    /// By its number.
    case limiter(Int)
    /// Only of rules without a probability.
    case not(TailRule)
    case all([TailRule])
    case any([TailRule])

    /// - Parameter limits: the thresholds of the limiters.
    /// - Returns: ``SamplingThreshold/never`` where it does not keep the trace at all.
    func threshold(of trace: TraceSummary, limits: (Int) -> SamplingThreshold) -> SamplingThreshold {
        switch self {
        case .always: .always
        case .never: .never
        case .probability(let threshold): threshold
        case .test(let number): trace.tests & 1 << UInt64(number) != 0 ? .always : .never
        case .duration(let range): range.contains(trace.duration) ? .always : .never
        case .spanCount(let range): range.contains(trace.spans) ? .always : .never
        case .cost(let full, let floor):
            SamplingThreshold(probability: max(floor, Double(trace.cost) / Double(full)))
        case .limiter(let number): limits(number)
        case .not(let rule): rule.threshold(of: trace, limits: limits) == .never ? .always : .never
        case .all(let rules): rules.map { $0.threshold(of: trace, limits: limits) }.max() ?? .always
        case .any(let rules): rules.map { $0.threshold(of: trace, limits: limits) }.min() ?? .never
        }
    }

    /// Whether chance has no part in it.
    var isCertain: Bool {
        switch self {
        case .always, .never, .test, .duration, .spanCount: true
        case .probability, .cost, .limiter: false
        case .not(let rule): rule.isCertain
        case .all(let rules), .any(let rules): rules.allSatisfy(\.isCertain)
        }
    }

    /// Whether it asks what the trace cost.
    var asksCost: Bool {
        switch self {
        case .cost: true
        case .always, .never, .probability, .test, .duration, .spanCount, .limiter: false
        case .not(let rule): rule.asksCost
        case .all(let rules), .any(let rules): rules.contains(where: \.asksCost)
        }
    }

    /// Whether every replica comes to the same, whatever part of the trace it has.
    var isTheSameEverywhere: Bool {
        switch self {
        case .always, .never, .probability: true
        case .test, .duration, .spanCount, .cost, .limiter: false
        case .not(let rule): rule.isTheSameEverywhere
        case .all(let rules), .any(let rules): rules.allSatisfy(\.isTheSameEverywhere)
        }
    }

    /// The limiters on whose answer it depends whether the rule keeps this trace.
    func limiters(for trace: TraceSummary) -> Set<Int> {
        switch self {
        case .limiter(let number): [number]
        case .all(let rules):
            // What another part refuses does not use up what the limiter may keep.
            threshold(of: trace) { _ in .always }.keeps(trace.randomness)
                ? rules.reduce(into: []) { $0.formUnion($1.limiters(for: trace)) } : []
        case .any(let rules): rules.reduce(into: []) { $0.formUnion($1.limiters(for: trace)) }
        default: []
        }
    }
}
