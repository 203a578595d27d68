import Testing

@testable import Weir

/// What the server reads to correct the ledger: of a day that has just begun it has no statistics.
struct PostgresCostReadsTests {
    private static let calls: UInt64 = 20
    private static let transactions: UInt64 = 60

    private func call(_ id: UInt64, of transaction: UInt64) -> SpanFixture {
        var span = QuerySample.span(
            transaction * Self.calls + id, start: Int64(id), name: "chat",
            [
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("m")),
                ("gen_ai.response.id", .string("response-\(transaction)-\(id)")),
                ("weir.cost.status", .string("priced")), ("weir.cost.total", .string("0.001")),
            ])
        span.traceID = (transaction, 1)
        span.parentSpanID = id == 0 ? 0 : transaction * Self.calls
        return span
    }

    /// The session tells what it has read when it ends.
    private func store() async throws -> PostgresSchema {
        let sample = try PostgresSample()
        for transaction in 1...Self.transactions {
            let spans = (0..<Self.calls).map { call($0, of: transaction) }
            try await sample.export(PostgresSample.record(transaction, spans))
            if transaction == 1 { try leaveWithoutStatistics(sample.schema) }
        }
        return sample.schema
    }

    /// A server that is slow would look at the tables meanwhile.
    private func leaveWithoutStatistics(_ schema: PostgresSchema) throws {
        for table in try schema.rows(
            "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = '\(schema.name)'::regnamespace")
        {
            _ = try schema.rows("ALTER TABLE \(table) SET (autovacuum_enabled = off)")
        }
    }

    @Test func aTransactionReadsItsOwnEntriesAndNotThoseOfTheDay() async throws {
        let schema = try await store()
        let connection = try schema.open()
        let sums = """
            SELECT sum(n_tup_ins), sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables
            WHERE schemaname = '\(schema.name)' AND relname LIKE 'cost_ledger_2%'
            """
        let stored = Int(Self.calls * Self.transactions)
        var read = 0
        try await eventually("the server has counted") {
            let row = try PostgresSchema.rows(sums, on: connection)[0].split(separator: "|")
            read = Int(row[1]) ?? 0
            // The first of each trace is taken back for those below it.
            return Int(row[0]) == stored + Int(Self.transactions)
        }
        // A look at all of the day, once in each transaction, is 30 for each.
        #expect(read < 15 * stored, "\(read) rows were read for \(stored)")
    }
}
