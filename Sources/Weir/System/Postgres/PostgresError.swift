/// Why a session with PostgreSQL did not do what it was told. Never holds the connection string.
struct PostgresError: Error, Equatable, CustomStringConvertible {
    /// SQLSTATE, five characters; empty where no server said so.
    let state: String
    /// In one line.
    let message: String
    /// What the server adds, such as the row that it refuses. It may hold what a span holds, so it is not for the log.
    let detail: String?
    /// The constraint that was violated.
    let constraint: String?
    /// The advisory lock that another session held for too long; nil where it was one on a table.
    let lock: String?

    init(
        _ message: String, state: String = "", detail: String? = nil, constraint: String? = nil, lock: String? = nil
    ) {
        // The reasons of several addresses stand in several lines.
        self.message = message.split(separator: "\n").joined(separator: "; ")
        self.state = state
        self.detail = detail
        self.constraint = constraint
        self.lock = lock
    }

    var description: String { state.isEmpty ? message : "\(message) (SQLSTATE \(state))" }

    /// A row has no partition. The server has no constraint to name then.
    var isMissingPartition: Bool { state == "23514" && constraint == nil }

    /// The values are at fault, not the server or the session: sent again, they are refused again.
    /// P0001 is what somebody's trigger raises, 44000 what a view's check option does.
    var isRefusal: Bool {
        if isAbsurdSize { return true }
        return ["22", "23", "44", "54", "P0001"].contains { state.hasPrefix($0) } && !isMissingPartition
    }

    /// A value for which the server would need more memory than it ever gives at once, such as JSON with 16 million
    /// members. It has no state for that but the one of its own faults, whose texts it does not translate.
    private var isAbsurdSize: Bool {
        state == "XX000" && message.contains("invalid memory alloc request size")
    }

    /// A row with this key is there already.
    var isRepetition: Bool { state == "23505" }

    /// Another session holds a lock for longer than this one may wait.
    var isLockTimeout: Bool { state == "55P03" }
}
