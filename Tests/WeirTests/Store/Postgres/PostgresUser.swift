@testable import Weir

/// Another session, on a thread of its own, so that a test can go on while it waits.
actor PostgresUser {
    private let executor = BlockingExecutor(label: "weir.tests.postgres")
    private let interrupt = Interrupt()
    private let schema: PostgresSchema
    private var connection: PostgresConnection?

    init(_ schema: PostgresSchema) {
        self.schema = schema
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    @discardableResult
    func run(_ sql: String) throws -> [String] {
        try with { try PostgresSchema.rows(sql, on: $0) }
    }

    func with<Value: Sendable>(_ body: @Sendable (PostgresConnection) throws -> Value) throws -> Value {
        let connection = try connection ?? schema.open(interrupt: interrupt)
        self.connection = connection
        return try body(connection)
    }

    /// Ends what it waits for.
    nonisolated func interruptNow() {
        interrupt.raise()
    }
}
