import Glibc
import Testing

@testable import Weir

/// A schema of its own in the PostgreSQL that `Tests/with-postgres` runs.
struct PostgresSchema {
    /// The superuser's connection string.
    let connection: String
    let name: String

    /// - Parameter hasOwnDatabase: the transactions of other tests cannot hold anything up then.
    init(hasOwnDatabase: Bool = false) throws {
        let connection = try Self.connection()
        name = "weir_" + UInt64.random(in: 0 ... .max).digits(16, radix: 16)
        if hasOwnDatabase { try PostgresConnection(connection).run("CREATE DATABASE \(name)") }
        self.connection = hasOwnDatabase ? "\(connection) dbname=\(name)" : connection
    }

    static func connection() throws -> String {
        let text = getenv("WEIR_TEST_POSTGRES").map { String(cString: $0) }
        return try #require(
            text, "WEIR_TEST_POSTGRES names no PostgreSQL: run this through make test or Tests/with-postgres")
    }

    func open(interrupt: Interrupt = Interrupt()) throws -> PostgresConnection {
        let session = try PostgresSession.open(connection, schema: name, interrupt: interrupt)
        // A test that waits for its turn is idle for longer than a session may be.
        try session.run("SET idle_in_transaction_session_timeout = 0")
        return session
    }

    /// The schema with its tables.
    func openWithTables() throws -> PostgresConnection {
        let connection = try open()
        try PostgresMigrations.apply(on: connection)
        return connection
    }

    /// What a statement gives: a line for each row, values with a bar between them.
    func rows(_ sql: String) throws -> [String] {
        try Self.rows(sql, on: try open())
    }

    static func rows(_ sql: String, on connection: PostgresConnection) throws -> [String] {
        let result = try connection.run(sql)
        return (0..<result.count).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "NULL" }.joined(separator: "|")
        }
    }
}
