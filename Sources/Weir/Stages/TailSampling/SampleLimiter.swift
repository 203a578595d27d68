/// Keeps as much a second as it may, of a random choice, and says with which threshold.
///
/// Traces that want to be kept gather for a second. Those with the highest randomness are kept as long as they fit; the
/// threshold is just above the first that does not. Were it the last that does, as seems natural, counts would come out
/// too high, by a quarter where 5 of 20 are kept (D. Ting, "Adaptive Threshold Sampling", arXiv 1708.04970).
///
/// Randomness is what a sender says it is, so each tenant has a threshold of its own: whoever chooses the ids of traces
/// goes before others of the same tenant, and before nobody else. What there is room for is shared so that nobody could
/// have more without somebody with less having to give it (max-min fairness, D. Bertsekas and R. Gallager, "Data
/// Networks", 6.5.2).
struct SampleLimiter: Sendable {
    /// How long traces gather.
    static let interval: UInt64 = 1_000_000_000

    struct Claim: Equatable {
        /// A number that is the same for all of its traces.
        let tenant: Int
        let randomness: SamplingRandomness
        /// Spans or bytes.
        let size: Int
    }

    /// A second's.
    private let rate: Double
    /// What may be saved up.
    private let burst: Double
    private var saved: Double
    private var last: Timestamp?
    private var claims: [Claim] = []
    /// When the first of the claims came.
    private var since: Timestamp?
    /// Those of the last second, by tenant.
    private var thresholds: [Int: SamplingThreshold] = [:]

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = max(rate, burst)
        saved = max(rate, burst)
    }

    /// When the claims are answered; nil where there is none.
    var due: Timestamp? { since.map { Timestamp(nanoseconds: $0.nanoseconds + Self.interval) } }

    /// That of the last second. Of a tenant that claimed nothing then it is the lowest that another has.
    func threshold(of tenant: Int) -> SamplingThreshold {
        thresholds[tenant] ?? thresholds.values.min() ?? .always
    }

    mutating func add(_ claim: Claim, at now: Timestamp) {
        if since == nil { since = now }
        claims.append(claim)
    }

    /// Answers the claims: those are kept whose randomness is not below the threshold of their tenant.
    mutating func close(at now: Timestamp) {
        let elapsed = last.map { Double(now.nanoseconds - min(now.nanoseconds, $0.nanoseconds)) / 1e9 } ?? 0
        last = now
        saved = min(burst, saved + rate * elapsed)
        var left = max(1, saved)
        var used = 0.0
        let wishes = Dictionary(grouping: claims, by: \.tenant).mapValues { claims in
            (claims: claims, size: claims.reduce(0) { $0 + Double($1.size) })
        }
        thresholds = [:]
        // Whoever wants least is asked first, and what it leaves is the others'.
        for (index, (tenant, wish)) in wishes.sorted(by: { $0.value.size < $1.value.size }).enumerated() {
            let share = left / Double(wishes.count - index)
            let (threshold, size) = Self.fill(max(1, share), wish.claims)
            thresholds[tenant] = threshold
            left = max(0, left - size)
            used += size
        }
        saved = max(0, saved - used)
        claims = []
        since = nil
    }

    private static func fill(_ room: Double, _ claims: [Claim]) -> (SamplingThreshold, used: Double) {
        var used = 0.0
        for claim in claims.sorted(by: { $0.randomness.bits > $1.randomness.bits }) {
            // One that is larger than all that may be kept counts as if it just fitted: else it could never be kept,
            // and what it stands for would be missing from every count.
            let size = min(Double(claim.size), room)
            guard used + size <= room else {
                return (SamplingThreshold(rejecting: claim.randomness.bits + 1), used)
            }
            used += size
        }
        return (.always, used)
    }
}
