/// Which days the hot tables give up. What drops them differs: partitions in Postgres, files in SQLite.
struct Retention: Sendable {
    let duration: Duration
    /// Asked before a day goes; false keeps it, to be asked again later. So a day can wait for its archive.
    let mayDrop: @Sendable (Day) async -> Bool

    init(_ duration: Duration, mayDrop: @escaping @Sendable (Day) async -> Bool = { _ in true }) {
        self.duration = duration
        self.mayDrop = mayDrop
    }

    /// The days that ended longer ago than the retention, oldest first.
    func expired(_ days: some Sequence<Day>, at now: Timestamp) -> [Day] {
        let kept = UInt64(max(0, duration / .nanoseconds(1)))
        let limit = now.nanoseconds > kept ? now.nanoseconds - kept : 0
        return days.filter { ($0 + 1).start.nanoseconds <= limit }.sorted()
    }
}
