/// Data keys in a schema of their own of a PostgreSQL database, which several Weirs may share. When a key was destroyed
/// says the clock of the server: those of the Weirs may differ.
final class PostgresKeyDatabase: KeyDatabase {
    private static let columns =
        "id, tenant, class, suite, day, subject, created_at, wrapped_by, wrapped, commitment"
    private static let select = """
        SELECT id, tenant, class, suite, day - date '1970-01-01', subject, \(microseconds("created_at")), wrapped_by,
            wrapped, commitment, \(microseconds("destroyed_at"))
        FROM data_keys
        """
    /// Rows of a table that is no larger are copied into a new file when keys are destroyed.
    private static let rewritten = ByteCount.mebibytes(16)
    /// Who asks again sooner after a failure is given the same answer: many may wait for a server that is silent.
    private static let pause = Duration.seconds(1)

    private let connection: String
    private let schema: String
    private let interrupt: Interrupt
    private var session: PostgresConnection?
    private var failure: (at: ContinuousClock.Instant, error: KeyError)?

    /// - Parameters:
    ///   - connection: a connection string, URL or keywords.
    ///   - interrupt: ends what it waits for, for good.
    init(_ connection: String, schema: String, interrupt: Interrupt) {
        self.connection = connection
        self.schema = schema
        self.interrupt = interrupt
    }

    func open(at now: Timestamp) throws(KeyError) {
        guard session == nil else { return }
        if let failure, ContinuousClock.now - failure.at < Self.pause { throw failure.error }
        do throws(PostgresError) {
            let session = try PostgresSession.open(connection, schema: schema, interrupt: interrupt)
            try PostgresMigrations.apply(on: session, PostgresMigration.keys)
            self.session = session
            failure = nil
        } catch {
            let error = KeyError.unavailable(error.reason)
            failure = (.now, error)
            throw error
        }
    }

    func close() {
        session = nil
    }

    // MARK: Keys

    func keys(of day: Day, limit: Int) throws(KeyError) -> [DataKeyRow] {
        // The index is no key of a day, so no limit leaves it out.
        try rows(
            "WHERE day = $1::date AND class <> 3 AND destroyed_at IS NULL LIMIT $2::bigint",
            [.text(day.text), .int(limit)])
            + rows("WHERE class = 3 AND destroyed_at IS NULL")
    }

    func keys(_ ids: [UInt64]) throws(KeyError) -> [DataKeyRow] {
        try rows("WHERE id = ANY ($1::bigint[])", [.array(ids.map { "\(Int64(bitPattern: $0))" })])
    }

    func keys(after id: UInt64?, limit: Int) throws(KeyError) -> [DataKeyRow] {
        guard let id else { return try rows("ORDER BY id LIMIT $1::bigint", [.int(limit)]) }
        return try rows(
            "WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint", [.int(Int64(bitPattern: id)), .int(limit)])
    }

    func insert(_ rows: [DataKeyRow]) throws(KeyError) {
        try ask { session throws(PostgresError) in
            try session.run(
                """
                INSERT INTO data_keys (\(Self.columns))
                SELECT * FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::smallint[], $5::date[], $6::text[],
                    $7::timestamptz[], $8::text[], $9::text[], $10::text[])
                ON CONFLICT DO NOTHING
                """,
                [
                    .array(rows.map { "\(Int64(bitPattern: $0.id))" }), .array(rows.map(\.tenant)),
                    .array(rows.map { "\($0.keyClass.rawValue)" }), .array(rows.map { "\($0.suite.rawValue)" }),
                    .array(rows.map(\.day.text)), .array(rows.map(\.subject.hexadecimal)),
                    .array(rows.map(\.createdAt.text)), .array(rows.map(\.wrappedBy)),
                    .array(rows.map(\.wrapped.hexadecimal)), .array(rows.map(\.commitment.hexadecimal)),
                ])
        }
    }

    func rewrap(_ rows: [DataKeyRow]) throws(KeyError) {
        try ask { session throws(PostgresError) in
            try session.run(
                """
                UPDATE data_keys k SET wrapped = n.wrapped, wrapped_by = n.wrapped_by
                FROM unnest($1::bigint[], $2::text[], $3::text[]) n (id, wrapped, wrapped_by)
                WHERE k.id = n.id AND k.destroyed_at IS NULL
                """,
                [
                    .array(rows.map { "\(Int64(bitPattern: $0.id))" }), .array(rows.map(\.wrapped.hexadecimal)),
                    .array(rows.map(\.wrappedBy)),
                ])
        }
    }

    func destroy(_ ids: [UInt64], at now: Timestamp) throws(KeyError) -> [UInt64] {
        try ask { session throws(PostgresError) in
            Self.ids(
                try session.run(
                    """
                    UPDATE data_keys SET wrapped = NULL, destroyed_at = clock_timestamp()
                    WHERE id = ANY ($1::bigint[]) AND destroyed_at IS NULL AND class <> 3 RETURNING id
                    """, [.array(ids.map { "\(Int64(bitPattern: $0))" })]))
        }
    }

    func wipe() throws(KeyError) {
        try ask { session throws(PostgresError) in
            // The rows as they were stay in the table's file until it is tidied up, and in its free space after that.
            let size = try session.run("SELECT pg_table_size('data_keys')").int(0, 0) ?? 0
            try session.run(size > Self.rewritten.bytes ? "VACUUM data_keys" : "VACUUM FULL data_keys")
        }
    }

    func ids(_ selection: KeySelection) throws(KeyError) -> [UInt64] {
        let (condition, parameters) = Self.condition(selection)
        return try ask { session throws(PostgresError) in
            Self.ids(try session.run("SELECT id FROM data_keys WHERE class <> 3 AND \(condition)", parameters))
        }
    }

    func subjects(_ tags: [[UInt8]], of tenant: String) throws(KeyError) -> [[UInt8]: Timestamp] {
        try ask { session throws(PostgresError) in
            let found = try session.run(
                """
                SELECT subject, \(Self.microseconds("min(created_at)")) FROM data_keys
                WHERE tenant = $1 AND subject <> '' AND subject = ANY ($2::text[]) AND destroyed_at IS NULL
                GROUP BY subject
                """, [.text(tenant), .array(tags.map(\.hexadecimal))])
            let pairs = (0..<found.count).map { (Self.bytes(found.text($0, 0)), Self.time(found.int($0, 1))) }
            return Dictionary(pairs) { first, _ in first }
        }
    }

    func destroyed(within age: Duration, at now: Timestamp) throws(KeyError) -> [UInt64] {
        try ask { session throws(PostgresError) in
            Self.ids(
                try session.run(
                    "SELECT id FROM data_keys WHERE destroyed_at >= now() - $1::bigint * interval '1 second'",
                    [.int(Int64((age / .seconds(1)).rounded(.up)))]))
        }
    }

    private static func ids(_ found: PostgresResult) -> [UInt64] {
        (0..<found.count).compactMap { found.int($0, 0).map { UInt64(bitPattern: $0) } }
    }

    private static func condition(_ selection: KeySelection) -> (String, [PostgresParameter]) {
        switch selection {
        case .id(let id): ("id = $1::bigint", [.int(Int64(bitPattern: id))])
        case .subject(let tenant, let tag): ("tenant = $1 AND subject = $2", [.text(tenant), .text(tag.hexadecimal)])
        case .tenant(let tenant, let day): ("tenant = $1 AND day < $2::date", [.text(tenant), .text(day.text)])
        }
    }

    // MARK: What was done

    func audit(_ entry: KeyAuditEntry) throws(KeyError) {
        try ask { session throws(PostgresError) in
            try session.run(
                "INSERT INTO key_audit (at, actor, action, detail) VALUES ($1::timestamptz, $2, $3, $4)",
                [.text(entry.at.text), .text(entry.actor), .text(entry.action), .text(entry.detail)])
        }
    }

    func audits(limit: Int) throws(KeyError) -> [KeyAuditEntry] {
        try ask { session throws(PostgresError) in
            let found = try session.run(
                """
                SELECT \(Self.microseconds("at")), actor, action, detail FROM key_audit
                ORDER BY id DESC LIMIT $1::bigint
                """, [.int(limit)])
            return (0..<found.count).map { row in
                KeyAuditEntry(
                    at: Self.time(found.int(row, 0)), actor: found.text(row, 1) ?? "", action: found.text(row, 2) ?? "",
                    detail: found.text(row, 3) ?? "")
            }
        }
    }

    /// The copy is a SQLite file, which can be used in place of the database.
    func backUp(to path: String, at now: Timestamp) throws(KeyError) {
        do throws(FileError) { try Directory.createPrivateFile(path) } catch { throw .unavailable("\(error)") }
        let start = ContinuousClock.now
        // Remembered before it has a key, so that there is none that nobody knows of.
        try ask { session throws(PostgresError) in
            try session.run(
                "INSERT INTO key_backups (host, path, made_at) VALUES ($1, $2, now()) ON CONFLICT DO NOTHING",
                [.text(Self.host), .text(path)])
        }
        let copy = SQLiteKeyDatabase(path)
        try copy.open(at: now)
        defer { copy.close() }
        var last: UInt64?
        while true {
            let some = try keys(after: last, limit: 5_000)
            guard let end = some.last else { break }
            try copy.insert(some)
            last = end.id
        }
        for entry in try audits(limit: .max).reversed() { try copy.audit(entry) }
        // Whoever destroyed a key meanwhile has not found it in the copy.
        for id in try destroyed(within: ContinuousClock.now - start + .seconds(1), at: now) {
            _ = try copy.destroy(.id(id), at: now)
        }
    }

    func backups() throws(KeyError) -> [String] {
        try ask { session throws(PostgresError) in
            let found = try session.run("SELECT host, path FROM key_backups ORDER BY made_at")
            return (0..<found.count).map { row in
                let (host, path) = (found.text(row, 0) ?? "", found.text(row, 1) ?? "")
                return host == Self.host ? path : "\(host):\(path)"
            }
        }
    }

    /// - Parameter path: as ``backups()`` says it.
    func forget(backup path: String) throws(KeyError) {
        try ask { session throws(PostgresError) in
            try session.run(
                "DELETE FROM key_backups WHERE host = $1 AND path = $2 OR host || ':' || path = $2",
                [.text(Self.host), .text(path)])
        }
    }

    private static let host: String = {
        let name = (try? FileReader.contents(of: "/proc/sys/kernel/hostname", limit: 256)) ?? []
        return String(decoding: name.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()

    // MARK: The session

    private func rows(_ condition: String, _ parameters: [PostgresParameter] = []) throws(KeyError) -> [DataKeyRow] {
        try ask { session throws(PostgresError) in
            let found = try session.run("\(Self.select) \(condition)", parameters)
            return (0..<found.count).compactMap { Self.row(found, $0) }
        }
    }

    /// - Returns: nil for one that a later version wrote.
    private static func row(_ found: PostgresResult, _ row: Int) -> DataKeyRow? {
        guard let id = found.int(row, 0), let keyClass = number(found, row, 2).flatMap(KeyClass.init),
            let suite = number(found, row, 3).flatMap(CipherSuite.init)
        else { return nil }
        return DataKeyRow(
            id: UInt64(bitPattern: id), tenant: found.text(row, 1) ?? "", keyClass: keyClass, suite: suite,
            day: Day(number: Int(found.int(row, 4) ?? 0)), subject: bytes(found.text(row, 5)),
            createdAt: time(found.int(row, 6)), wrappedBy: found.text(row, 7) ?? "", wrapped: bytes(found.text(row, 8)),
            commitment: bytes(found.text(row, 9)), destroyedAt: found.int(row, 10).map(time))
    }

    private static func number(_ found: PostgresResult, _ row: Int, _ column: Int) -> UInt8? {
        found.int(row, column).flatMap { UInt8(exactly: $0) }
    }

    private static func bytes(_ text: String?) -> [UInt8] { text.flatMap { [UInt8](hexadecimal: $0) } ?? [] }

    private static func time(_ microseconds: Int64?) -> Timestamp {
        Timestamp(nanoseconds: UInt64(clamping: microseconds ?? 0) &* 1_000)
    }

    private static func microseconds(_ column: String) -> String {
        "CAST(extract(epoch FROM \(column)) * 1000000 AS bigint)"
    }

    /// After an error nobody knows what state a session is in, so the next call begins another.
    @discardableResult
    private func ask<Value>(
        _ body: (PostgresConnection) throws(PostgresError) -> Value
    ) throws(KeyError) -> Value {
        guard let session else { throw .unavailable("the session is over") }
        do throws(PostgresError) {
            return try body(session)
        } catch {
            close()
            throw .unavailable(error.reason)
        }
    }
}
