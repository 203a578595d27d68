/// Keeps as much a second as it may, of a random choice, and says with which threshold.
///
/// Traces that want to be kept gather for a second. Those with the highest randomness are kept as long as they fit; the
/// threshold is just above the first that does not. Were it the last that does, as seems natural, counts would come out
/// too high, by a quarter where 5 of 20 are kept (D. Ting, "Adaptive Threshold Sampling", arXiv 1708.04970).
struct SampleLimiter: Sendable {
    /// How long traces gather.
    static let interval: UInt64 = 1_000_000_000

    struct Claim: Equatable {
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
    private(set) var claims: [Claim] = []
    /// When the first of the claims came.
    private var since: Timestamp?
    /// That of the last second.
    private(set) var threshold = SamplingThreshold.always

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = max(rate, burst)
        saved = max(rate, burst)
    }

    /// When the claims are answered; nil where there is none.
    var due: Timestamp? { since.map { Timestamp(nanoseconds: $0.nanoseconds + Self.interval) } }

    mutating func add(_ claim: Claim, at now: Timestamp) {
        if since == nil { since = now }
        claims.append(claim)
    }

    /// Answers the claims: those are kept whose randomness is not below the threshold.
    mutating func close(at now: Timestamp) {
        let elapsed = last.map { Double(now.nanoseconds - min(now.nanoseconds, $0.nanoseconds)) / 1e9 } ?? 0
        last = now
        saved = min(burst, saved + rate * elapsed)
        // One that is larger than all that may be kept counts as if it just fitted: else it could never be kept, and
        // what it stands for would be missing from every count.
        let room = max(1, saved)
        var used = 0.0
        threshold = .always
        for claim in claims.sorted(by: { $0.randomness.bits > $1.randomness.bits }) {
            let size = min(Double(claim.size), room)
            guard used + size <= room else {
                threshold = SamplingThreshold(rejecting: claim.randomness.bits + 1)
                break
            }
            used += size
        }
        saved = max(0, saved - used)
        claims = []
        since = nil
    }
}
