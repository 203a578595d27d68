/// A point in time.
struct Timestamp: Sendable, Hashable, Comparable {
    /// Since 1970-01-01T00:00:00Z.
    var nanoseconds: UInt64

    static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// - Parameter duration: not negative.
    func adding(_ duration: Duration) -> Timestamp {
        Timestamp(nanoseconds: nanoseconds &+ duration.inNanoseconds)
    }
}

extension Duration {
    /// At most 584 years; none below zero.
    var inNanoseconds: UInt64 { UInt64(max(0, self / .nanoseconds(1))) }

    /// As the tables have durations: at most what 63 bits hold. As a Double the longest is one more than that.
    var inSignedNanoseconds: Int64 { Int64(clamping: inNanoseconds) }
}
