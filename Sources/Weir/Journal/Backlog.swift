/// What an exporter has yet to get from a journal.
struct Backlog: Equatable, Sendable {
    var load = Load()
    /// When the oldest of that was received; nil where there is nothing.
    var oldest: Timestamp?

    /// How long the oldest of it has waited, in nanoseconds; nil where nothing waits.
    func age(at now: Timestamp) -> UInt64? {
        oldest.map { now.nanoseconds - min($0.nanoseconds, now.nanoseconds) }
    }
}

extension JournalRecovery {
    /// - Parameter exporter: as its cursor's file is named.
    /// - Returns: nil for one that does not read the journal.
    func backlog(of exporter: String) -> Backlog? {
        unsettled[exporter].map { Backlog(load: $0, oldest: oldest[exporter]) }
    }
}
