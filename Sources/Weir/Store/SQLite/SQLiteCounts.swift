/// What became of spans that were brought to SQLite.
struct SQLiteCounts: Equatable, Sendable {
    var stored = 0
    /// Of ``stored``: those whose clock is far off, or that end before they start.
    var clockSuspect = 0
    /// What the tables did not take, and `rejects` did.
    var rejected = 0
    /// What a file had already.
    var repeated = 0
    /// Of days that the retention has given up.
    var expired = 0
    /// Whether something of them may have been written.
    var isTried = false

    mutating func add(_ other: SQLiteCounts) {
        stored += other.stored
        clockSuspect += other.clockSuspect
        rejected += other.rejected
        repeated += other.repeated
        expired += other.expired
        isTried = isTried || other.isTried
    }
}
