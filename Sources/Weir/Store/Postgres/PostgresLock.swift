/// Advisory locks, on which the Weirs of one database agree.
struct PostgresLock {
    /// What is agreed on.
    enum Subject: String {
        case migrations, partitions, retention
    }

    private static let pause = Duration.milliseconds(50)

    /// The number of a lock, in SQL. The schema is part of it, so that several in one database do not wait for each
    /// other.
    static func key(_ subject: String) -> String { key(of: "'\(subject)'") }

    /// - Parameter subject: in SQL.
    static func key(of subject: String) -> String {
        "hashtextextended('weir ' || current_setting('search_path') || ' ' || \(subject), 0)"
    }

    /// Takes a lock for the rest of the transaction. Where another session does not let go of it, the error says which
    /// it was: the server does not.
    /// - Parameter first: what begins the transaction, where nothing has; else empty.
    static func take(
        _ subject: String, isShared: Bool = false, after first: String = "", on connection: PostgresConnection
    ) throws(PostgresError) {
        let function = isShared ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock"
        do {
            try connection.run("\(first)SELECT \(function)(\(key(subject)))")
        } catch {
            throw PostgresError(
                error.message, state: error.state, detail: error.detail, constraint: error.constraint,
                lock: error.isLockTimeout ? subject : nil)
        }
    }

    /// Does something that one session at a time may do. Asks again and again rather than wait in the server: who
    /// waits there holds a snapshot, for which others wait.
    ///
    /// - Parameter patience: how long to ask.
    /// - Returns: nil if another session had the lock all the time.
    static func hold<Value>(
        _ subject: Subject, on connection: PostgresConnection, patience: Duration = .seconds(10),
        _ body: () throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value? {
        let key = key(subject.rawValue)
        let deadline = ContinuousClock.now + patience
        while try !connection.run("SELECT pg_try_advisory_lock(\(key))").bool(0, 0) {
            guard ContinuousClock.now < deadline else { return nil }
            try connection.pause(pause)
        }
        // If this fails the session is over, and the lock with it; whoever sees an error ends the session.
        let value = try body()
        try connection.run("SELECT pg_advisory_unlock(\(key))")
        return value
    }
}

extension PostgresConnection {
    /// Runs a transaction that takes locks on tables in use. It does not wait for one longer than half a second, since
    /// everybody who comes later would wait behind it; it tries again instead.
    func runBriefly(_ sql: String, tries: Int = 20) throws(PostgresError) {
        for attempt in 1...tries {
            do {
                try run("BEGIN; SET LOCAL lock_timeout = '500ms'; \(sql); COMMIT")
                return
            } catch {
                // Where the session is over, the first error says why.
                _ = try? run("ROLLBACK")
                guard error.isLockTimeout, attempt < tries else { throw error }
                try pause(.milliseconds(200))
            }
        }
    }
}
