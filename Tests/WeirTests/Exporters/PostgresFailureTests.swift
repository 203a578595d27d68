import Testing

@testable import Weir

/// What is wrong with a database is said, and nothing is lost or stored twice for it.
struct PostgresFailureTests {
    private func record(_ sequence: UInt64 = 1) -> JournalRecord { PostgresSample.record(sequence, 1...3) }

    private func reason(_ sample: PostgresSample) async throws -> String {
        try #require(await sample.failure(record())?.retryReason)
    }

    @Test func aServerThatIsNotThereIsWaitedFor() async throws {
        let directory = try TemporaryDirectory()
        let sample = try PostgresSample(connection: "host=\(directory.path) password=hunter2")
        let reason = try await reason(sample)
        #expect(reason.contains("No such file or directory") && !reason.contains("hunter2"))
    }

    @Test func aWrongPasswordIsWaitedForAndNotShown() async throws {
        let schema = try PostgresSchema()
        let sample = try PostgresSample(
            schema: schema, connection: "\(schema.connection) user=weir_test password=hunter2")
        let reason = try await reason(sample)
        #expect(reason.contains("password authentication failed for user \"weir_test\""))
        #expect(!reason.contains("hunter2") && !sample.log.lines.joined().contains("hunter2"))
    }

    @Test func aDatabaseThatIsMissingIsNamed() async throws {
        let schema = try PostgresSchema()
        let sample = try PostgresSample(schema: schema, connection: "\(schema.connection) dbname=nowhere")
        #expect(try await reason(sample).contains("database \"nowhere\" does not exist"))
    }

    @Test func aDatabaseInAnotherEncodingIsRefused() async throws {
        let schema = try PostgresSchema()
        let name = schema.name
        try PostgresConnection(schema.connection).run(
            "CREATE DATABASE \(name) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let sample = try PostgresSample(schema: schema, connection: "\(schema.connection) dbname=\(name)")
        #expect(try await reason(sample) == "found a database in LATIN1, wanted UTF8")
    }

    @Test func aRoleThatMayNotIsSaid() async throws {
        let schema = try PostgresSchema()
        let own = "\(schema.connection) user=weir_test password=secret"
        let sample = try PostgresSample(schema: schema, connection: own)
        let first = try await reason(sample)
        #expect(
            first.hasPrefix("permission denied for database postgres (SQLSTATE 42501); spans wait until the role may"))
        // A schema of another role, that this one sees.
        let connection = try schema.open()
        try connection.run("CREATE SCHEMA \(schema.name); GRANT USAGE ON SCHEMA \(schema.name) TO weir_test")
        #expect(try await reason(sample).hasPrefix("permission denied for schema \(schema.name) (SQLSTATE 42501)"))
        try PostgresMigrations.apply(on: connection)
        #expect(try await reason(sample).hasPrefix("permission denied for table schema_migrations (SQLSTATE 42501)"))
        try connection.run("GRANT CREATE ON SCHEMA \(schema.name) TO weir_test")
        try connection.run("DROP SCHEMA \(schema.name) CASCADE; CREATE SCHEMA \(schema.name) AUTHORIZATION weir_test")
        try await sample.export(record())
        #expect(try sample.spanIDs() == [1, 2, 3])
    }

    @Test func aDatabaseThatIsReadOnlyIsWaitedFor() async throws {
        let schema = try PostgresSchema()
        let readOnly = "\(schema.connection) options='-c default_transaction_read_only=on'"
        let sample = try PostgresSample(schema: schema, connection: readOnly)
        #expect(try await reason(sample).hasPrefix("the database takes no writes: cannot execute CREATE SCHEMA"))
        _ = try schema.openWithTables()
        #expect(try await reason(sample).hasPrefix("the database takes no writes: "))
        #expect(try sample.rows("SELECT count(*) FROM ledger") == ["0"])
    }

    @Test func aFullDiskIsWaitedFor() async throws {
        let sample = try PostgresSample()
        let connection = try sample.schema.openWithTables()
        try connection.run(
            """
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
            CREATE TRIGGER fill BEFORE INSERT ON spans FOR EACH ROW WHEN (NEW.span_id = 3) EXECUTE FUNCTION fill()
            """)
        #expect(
            try await reason(sample) == "the server's disk is full: could not extend file (SQLSTATE 53100); "
                + "spans wait until there is room")
        #expect(try sample.spanIDs() == [])
        try connection.run("DROP TRIGGER fill ON spans")
        try await sample.export(record())
        #expect(try sample.spanIDs() == [1, 2, 3])
    }

    @Test func aTableThatIsLockedIsWaitedFor() async throws {
        let sample = try PostgresSample()
        try await sample.export(record())
        let other = try sample.schema.open()
        try other.run("BEGIN; LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
        let reason = try #require(await sample.failure(PostgresSample.record(2, 4...4))?.retryReason)
        #expect(reason.hasPrefix("another session holds a lock on the tables: canceling statement due to lock timeout"))
        try other.run("ROLLBACK")
        try await sample.export(PostgresSample.record(2, 4...4))
        #expect(try sample.spanIDs() == [1, 2, 3, 4])
    }

    @Test(arguments: ["costs", "journal 0000000000000007"])
    func aLockOfWeirsOwnIsNamed(lock: String) async throws {
        let sample = try PostgresSample()
        try await sample.export(record())
        let other = try sample.schema.open()
        try other.run("BEGIN; SELECT pg_advisory_xact_lock(\(PostgresLock.key(lock)))")
        let reason = try #require(await sample.failure(PostgresSample.record(2, 4...4))?.retryReason)
        #expect(reason.hasPrefix("another session holds Weir's lock \(lock): canceling statement due to lock timeout"))
        try other.run("ROLLBACK")
        try await sample.export(PostgresSample.record(2, 4...4))
        #expect(try sample.spanIDs() == [1, 2, 3, 4])
    }

    @Test func aStatementThatTakesTooLongIsTriedAgain() async throws {
        let sample = try PostgresSample()
        let connection = try sample.schema.openWithTables()
        // The time that a statement has is cut short for those that come after it in the transaction.
        try connection.run(
            """
            CREATE FUNCTION hurry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM set_config('statement_timeout', '500ms', true); RETURN NULL; END $$;
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_sleep(600); RETURN NEW; END $$;
            CREATE TRIGGER hurry AFTER INSERT ON spans FOR EACH STATEMENT EXECUTE FUNCTION hurry();
            CREATE TRIGGER linger BEFORE INSERT ON span_rollups FOR EACH ROW EXECUTE FUNCTION linger()
            """)
        #expect(
            try await reason(sample) == "the server took too long, or another session holds a lock: "
                + "canceling statement due to statement timeout (SQLSTATE 57014)")
        #expect(try sample.spanIDs() == [])
        try connection.run("DROP TRIGGER linger ON span_rollups; DROP TRIGGER hurry ON spans")
        try await sample.export(record())
        #expect(try sample.spanIDs() == [1, 2, 3])
        #expect(try sample.rows("SELECT first_sequence, last_sequence, spans FROM ledger") == ["1|1|3"])
    }

    @Test func twoSessionsThatWaitForEachOtherAreAnAttemptThatFailed() async throws {
        let schema = try PostgresSchema()
        let name = schema.name
        let sample = try PostgresSample(schema: schema, connection: "\(schema.connection) application_name=\(name)")
        try await sample.export(record())
        let gate = try sample.schema.open()
        // However long this test takes, the attempt must not be over before the circle is closed.
        try gate.run(
            """
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM set_config('lock_timeout', '0', true);
                PERFORM pg_advisory_xact_lock(\(PostgresLock.key("gate"))); RETURN NULL; END $$;
            CREATE TRIGGER wait AFTER INSERT ON spans FOR EACH STATEMENT EXECUTE FUNCTION wait()
            """)
        try gate.run("BEGIN; SELECT pg_advisory_xact_lock(\(PostgresLock.key("gate")))")
        func waiting() throws -> [String] {
            try sample.rows(
                """
                SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE NOT l.granted AND l.locktype = 'advisory' AND a.application_name = '\(name)'
                """)
        }
        // It is not this one that the server gives up: it looks for circles after a long time only.
        let other = PostgresUser(sample.schema)
        let costs = "SELECT pg_advisory_xact_lock(\(PostgresLock.key("costs")))"
        try await other.run("SET application_name = '\(name)'; SET deadlock_timeout = '10min'; SET lock_timeout = 0")
        try await other.run("BEGIN; \(costs)")
        let attempt = Task { await sample.failure(PostgresSample.record(2, 4...4)) }
        try await eventually("the attempt waits") { try waiting() == ["1"] }
        let circle = Task {
            try await other.run("SELECT pg_advisory_xact_lock(\(PostgresLock.key("journal 0000000000000007")))")
        }
        try await eventually("both wait") { try waiting() == ["2"] }
        try gate.run("ROLLBACK")
        let reason = try #require(await attempt.value?.retryReason)
        #expect(reason.contains("deadlock detected (SQLSTATE 40P01)"))
        _ = try await circle.value
        try await other.run("ROLLBACK")
        try gate.run("DROP TRIGGER wait ON spans")
        try await sample.export(PostgresSample.record(2, 4...4))
        #expect(try sample.spanIDs() == [1, 2, 3, 4])
        #expect(try sample.rows("SELECT first_sequence, last_sequence, spans FROM ledger") == ["1|2|4"])
    }

    @Test func anAttemptThatIsCancelledEndsSoon() async throws {
        let sample = try PostgresSample()
        try await sample.export(record())
        let other = try sample.schema.open()
        try other.run("BEGIN; LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
        let attempt = Task {
            var failure = await sample.failure(PostgresSample.record(2, 4...4))
            // A lock is waited for for five seconds, and a look at it may come later.
            while failure != .retryable("cancelled", after: nil) {
                failure = await sample.failure(PostgresSample.record(2, 4...4))
            }
            return failure
        }
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'spans'::regclass"
        try await eventually("the attempt waits") { try other.run(waiting).int(0, 0) == 1 }
        attempt.cancel()
        #expect(await attempt.value == .retryable("cancelled", after: nil))
        try await eventually("the server stops waiting") { try other.run(waiting).int(0, 0) == 0 }
        try other.run("ROLLBACK")
        try await sample.export(PostgresSample.record(2, 4...4))
        #expect(try sample.spanIDs() == [1, 2, 3, 4])
    }

    @Test func tablesOfANewerWeirAreLeftAlone() async throws {
        let sample = try PostgresSample()
        let connection = try sample.schema.openWithTables()
        try connection.run("INSERT INTO schema_migrations VALUES (99, 'later', '')")
        #expect(try await reason(sample).hasPrefix("the tables are of a newer Weir: found migration 99"))
        #expect(try sample.rows("SELECT count(*) FROM spans") == ["0"])
    }

    @Test func theConfigurationIsCheckedWithoutQuotingIt() {
        func problems(_ yaml: String) -> [String] {
            var reader = YAMLReader(file: "f", environment: [:])
            let root = reader.read(yaml)
            var top = Fields([], file: "f")
            _ = top.descend(into: root, path: "") { $0.read(PostgresConfiguration.self) }
            return top.diagnostics.entries.map(\.description)
        }
        #expect(problems("schema: weir") == [])
        let connection = problems("connection: postgresql://user:hun@ter2@host/db")
        #expect(connection.count == 1 && connection[0].contains("an @ in the host") && !connection[0].contains("ter2"))
        for name in ["", "Weir", "1weir", "pg_weir", "we ir", "we\\\"ir", "wéir"] {
            #expect(problems("schema: \"\(name)\"").count == 1, "\(name)")
        }
        #expect(problems("retention: 1h").count == 1)
    }
}
