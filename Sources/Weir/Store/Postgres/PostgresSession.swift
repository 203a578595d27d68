/// How Weir speaks to a database: what every session of it begins with.
enum PostgresSession {
    /// LZ4 and DETACH CONCURRENTLY came with 14.
    static let minVersion = 14

    /// - Parameters:
    ///   - connection: a connection string, URL or keywords.
    ///   - schema: where the tables are; see ``isName(_:)``.
    static func open(
        _ connection: String, schema: String, interrupt: Interrupt = Interrupt()
    ) throws(PostgresError) -> PostgresConnection {
        precondition(isName(schema), "a schema that was not checked")
        let connection = try PostgresConnection(connection, interrupt: interrupt)
        guard connection.serverVersion >= minVersion * 10_000 else {
            let version = connection.serverVersion / 10_000
            throw PostgresError("found PostgreSQL \(version), wanted \(minVersion) or later")
        }
        // In any other encoding there are characters that it cannot store.
        let encoding = connection.serverEncoding
        guard encoding == "UTF8" else { throw PostgresError("found a database in \(encoding), wanted UTF8") }
        // A commit that was answered is on the disk. Nothing waits longer than the server's own limits, even if this
        // process is gone and nobody told the server.
        try connection.run(
            """
            SET search_path = "\(schema)";
            SET timezone = 'UTC';
            SET jit = off;
            SET synchronous_commit = on;
            SET statement_timeout = '60s';
            SET lock_timeout = '5s';
            SET idle_in_transaction_session_timeout = '60s'
            """)
        return connection
    }

    /// Whether a schema may be called so: what needs no quotes in SQL, keywords aside.
    static func isName(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), !text.hasPrefix("pg_"), text.first?.isNumber == false else {
            return false
        }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}
