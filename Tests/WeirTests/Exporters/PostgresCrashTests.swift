import Testing

@testable import Weir

/// A connection that dies at the worst moment: what was brought is stored once, when it is brought again.
struct PostgresCrashTests {
    private static let spans: ClosedRange<UInt64> = 1...3_000
    private static let ledger = "SELECT first_sequence, last_sequence, spans, rejected FROM ledger ORDER BY 1"

    /// Ends the session at the first row for which the condition holds, and never again: a sequence forgets nothing.
    private static func killer(_ condition: String) -> String {
        """
        CREATE SEQUENCE kills;
        CREATE FUNCTION kill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF \(condition) AND nextval('kills') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NEW; END $$
        """
    }

    /// - Parameters:
    ///   - reason: what the first attempt's has to contain.
    ///   - first: what has to be stored after it.
    private func bringTwice(_ sample: PostgresSample, _ reason: String, stored first: [UInt64]) async throws {
        let records = [PostgresSample.record(1, 1...1_000), PostgresSample.record(2, 1_001...3_000)]
        let failure = await sample.failure(records[0], records[1])
        let said = try #require(failure?.retryReason)
        // Where the machine is busy the client may see the connection gone before it reads why.
        let reasons = [reason, "server closed the connection", "could not send data", "could not receive data"]
        #expect(reasons.contains { said.contains($0) }, "\(said)")
        #expect(try sample.spanIDs() == first)
        try await sample.export(records[0], records[1])
        #expect(try sample.spanIDs() == Array(Self.spans))
        #expect(try sample.rows(Self.ledger) == ["1|2|3000|0"])
        #expect(try sample.rows("SELECT sum(spans) FROM span_rollups") == ["3000"])
    }

    @Test func inTheMiddleOfACopy() async throws {
        let sample = try PostgresSample()
        try sample.schema.openWithTables().run(
            Self.killer("NEW.span_id = 2000")
                + "; CREATE TRIGGER kill BEFORE INSERT ON spans FOR EACH ROW EXECUTE FUNCTION kill()")
        let reason = "terminating connection due to administrator command (SQLSTATE 57P01)"
        try await bringTwice(sample, reason, stored: [])
    }

    @Test func rightBeforeACommit() async throws {
        let sample = try PostgresSample()
        try sample.schema.openWithTables().run(
            Self.killer("true")
                + """
                ; CREATE CONSTRAINT TRIGGER kill AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION kill()
                """)
        try await bringTwice(sample, "terminating connection", stored: [])
    }

    @Test func rightAfterACommitThatNobodyHeardOf() async throws {
        let schema = try PostgresSchema()
        let server = try #require(schema.connection.split(separator: " ").first { $0.hasPrefix("host=") }).dropFirst(5)
        // The tables are there already, so the first commit is that of the spans.
        var partitions = PostgresPartitions()
        try partitions.make(
            [Day(Timestamp(nanoseconds: SampleBatch.fourOClock))], on: try schema.openWithTables())
        let wire = try CutWire(to: String(server), cutting: "COMMIT\0")
        defer { wire.end() }
        let sample = try PostgresSample(
            schema: schema, connection: "\(schema.connection) host=127.0.0.1 port=\(wire.port)")
        try await bringTwice(sample, "server closed the connection unexpectedly", stored: Array(Self.spans))
        #expect(sample.count("repeated_spans") == 3_000 && sample.count("stored_spans") == 0)
    }

    @Test func anAttemptThatIsStillUnderWayIsWaitedFor() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...1))
        // An earlier attempt whose end nobody heard of, and which commits at last.
        let earlier = try sample.schema.open()
        _ = try RecordLedger.begin(JournalID(value: 7), 2...2, on: earlier)
        let second = Task { await sample.failure(PostgresSample.record(2, 2...2)) }
        let other = try sample.schema.open()
        try await eventually("the second waits") {
            try other.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").int(0, 0) != 0
        }
        try earlier.run("UPDATE ledger SET last_sequence = 2, spans = 2; COMMIT")
        #expect(await second.value == nil)
        #expect(sample.count("repeated_spans") == 1)
        #expect(try sample.rows(Self.ledger) == ["1|2|2|0"])
    }
}
