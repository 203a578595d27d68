import Glibc

extension Timestamp {
    /// The time of day, from the system's clock.
    @Sendable static func now() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        // A clock before 1970 is a clock that was never set.
        let nanoseconds = max(0, now.tv_sec) * 1_000_000_000 + now.tv_nsec
        return Timestamp(nanoseconds: UInt64(nanoseconds))
    }
}
