import Testing

@testable import Weir

struct PostgresRetentionTests {
    private static let now = Timestamp(nanoseconds: SampleBatch.fourOClock)
    private static func after(_ pause: Duration) -> Timestamp {
        Timestamp(nanoseconds: now.nanoseconds + UInt64(pause / .nanoseconds(1)))
    }

    private static let today = Day(now)
    private static let partitions = """
        SELECT c.relname FROM pg_class c WHERE relnamespace = current_schema()::regnamespace
        AND relname ~ '^(spans|llm_usage|span_rollups)_2026' AND relkind = 'r' AND relname < 'z' ORDER BY 1
        """

    private static let pending = """
        SELECT count(*) FROM pg_inherits WHERE inhdetachpending AND inhparent = 'spans'::regclass
        """

    private let schema: PostgresSchema
    private let connection: PostgresConnection

    init() throws {
        // FINALIZE waits for every transaction of the database that is older.
        schema = try PostgresSchema(hasOwnDatabase: true)
        connection = try schema.openWithTables()
        var partitions = PostgresPartitions()
        try partitions.make((-4...0).map { Self.today + $0 }, on: connection)
    }

    private func upkeep(_ mayDrop: @escaping @Sendable (Day) async -> Bool? = { _ in true }) -> PostgresUpkeep {
        PostgresUpkeep(
            schema.connection, schema: schema.name, Retention(.seconds(86_400), mayDrop: mayDrop))
    }

    /// Days for which any table is there, attached or not.
    private func days() throws -> [String] {
        Set(try PostgresSchema.rows(Self.partitions, on: connection).map { String($0.suffix(8)) }).sorted()
    }

    private static let left = ["20260202", "20260203", "20260204", "20260205", "20260206"]

    @Test func daysThatAreOverGoAndTheNextOnesCome() async throws {
        let dropped = try await upkeep().run(at: Self.now)
        #expect(dropped == [Self.today + -4, Self.today + -3, Self.today + -2])
        #expect(try days() == Self.left)
        #expect(try await upkeep().run(at: Self.now) == [])
    }

    @Test func aClockThatJumpsAheadTakesNothing() async throws {
        var writer = try PostgresWriter(try schema.open(), nil)
        _ = try writer.store(FrozenBatch(records: [record(1, of: "bank", on: Self.today)]), at: Self.now)
        let upkeep = upkeep()
        try await upkeep.run(at: Self.now)
        let ahead = Self.after(.seconds(40 * 86_400))
        #expect(try await upkeep.run(at: ahead) == [])
        // Nor does who begins while it is wrong.
        let other = self.upkeep()
        #expect(try await other.run(at: ahead) == [])
        #expect(try Set(days()).isSuperset(of: Self.left) && spanIDs() == ["1"])
        for upkeep in [upkeep, other] { #expect(try await upkeep.run(at: Self.after(.seconds(60))) == []) }
        #expect(try Set(days()).isSuperset(of: Self.left) && spanIDs() == ["1"])
    }

    @Test func rowsOfATenantGoBeforeThoseOfOthers() async throws {
        let kept = Self.today + -2
        var sequence: UInt64 = 0
        var writer = try PostgresWriter(try schema.open(), nil)
        for tenant in ["bank", "guest", "other"] {
            for day in [kept, Self.today] {
                sequence += 1
                let start = day.start.nanoseconds + 5
                var call = SampledOutRecord.call(1)
                (call.startTime, call.endTime) = (start, start + 1)
                let spans = [call, SampledOutRecord.span(2, start: start), SampledOutRecord.span(3, start: start)]
                let record = try SampledOutRecord.make(spans, out: [2], sequence: sequence, tenant: tenant)
                _ = try writer.store(FrozenBatch(records: [record]), at: Self.now)
            }
        }
        func tenants() throws -> Set<[String]> {
            Set(
                try PostgresPartitions.tables.map { table in
                    let column = ["span_rollups": "minute", "cost_rollups": "hour"][table] ?? "start_time"
                    return try PostgresSchema.rows(
                        """
                        SELECT DISTINCT (r.\(column) AT TIME ZONE 'UTC')::date || ' ' || t.name
                        FROM \(table) r JOIN tenants t ON t.id = r.tenant_id ORDER BY 1
                        """, on: connection)
                })
        }
        func all(_ day: Day, _ names: [String]) -> [String] { names.map { "\(day.text) \($0)" } }
        let rest = all(Self.today, ["bank", "guest", "other"])
        let rules = [
            Retention.Rule(tenants: ["bank"], duration: .seconds(20 * 86_400)),
            Retention.Rule(tenants: ["guest"], duration: .seconds(86_400)),
        ]
        let isArchived = Flag()
        let upkeep = PostgresUpkeep(
            schema.connection, schema: schema.name,
            Retention(.seconds(5 * 86_400), classes: rules, mayDrop: { _ in isArchived.isSet }))
        #expect(try await upkeep.run(at: Self.now) == [])
        #expect(try tenants() == [all(kept, ["bank", "guest", "other"]) + rest])
        isArchived.set(true)
        #expect(try await upkeep.run(at: Self.now) == [])
        #expect(try tenants() == [all(kept, ["bank", "other"]) + rest])
        #expect(try await upkeep.run(at: Self.after(.seconds(5 * 86_400))) == [])
        #expect(try tenants() == [all(kept, ["bank"]) + all(Self.today, ["bank", "other"])])
    }

    private func record(_ id: UInt64, of tenant: String, on day: Day) -> JournalRecord {
        let start = day.start.nanoseconds + 5
        return SampleBatch.record([(id, start)], tenant: tenant, sequence: id, received: start)
    }

    /// Rows of `guest` go after a day.
    private func upkeep(
        ofOthers days: Int64, _ mayDrop: @escaping @Sendable (Day) async -> Bool? = { _ in true }
    ) -> PostgresUpkeep {
        let rule = Retention.Rule(tenants: ["guest"], duration: .seconds(86_400))
        return PostgresUpkeep(
            schema.connection, schema: schema.name,
            Retention(.seconds(days * 86_400), classes: [rule], mayDrop: mayDrop))
    }

    private func spanIDs() throws -> [String] {
        try PostgresSchema.rows("SELECT span_id FROM spans ORDER BY 1", on: connection)
    }

    @Test func aDayStaysForASpanThatComesWhileItIsAskedFor() async throws {
        let kept = Self.today + -2
        var writer = try PostgresWriter(try schema.open(), nil)
        _ = try writer.store(FrozenBatch(records: [record(1, of: "guest", on: kept)]), at: Self.now)
        let (schema, late) = (schema, record(2, of: "bank", on: kept))
        let upkeep = upkeep(ofOthers: 20) { _ in
            do {
                var other = try PostgresWriter(try schema.open(), nil)
                return try other.store(FrozenBatch(records: [late]), at: Self.now).stored == 1
            } catch {
                return false
            }
        }
        #expect(try await upkeep.run(at: Self.now) == [])
        #expect(try spanIDs() == ["2"])
        #expect(try days().contains(kept.compact))
    }

    @Test func rowsGoWhileOthersStoreWhateverTheyLock() async throws {
        let kept = Self.today + -2
        var writer = try PostgresWriter(try schema.open(), nil)
        let records = [record(1, of: "guest", on: kept), record(2, of: "guest", on: kept)]
        _ = try writer.store(FrozenBatch(records: records + [record(3, of: "bank", on: kept)]), at: Self.now)
        let other = try schema.open()
        // As whoever stores calls of models.
        try PostgresLock.take("costs", after: "BEGIN; ", on: other)
        #expect(try await upkeep(ofOthers: 3).run(at: Self.now) == [Self.today + -4])
        #expect(try spanIDs() == ["3"])
        try other.run("COMMIT")
    }

    @Test func aRowThatSomebodyHasLockedGoesTheNextTime() async throws {
        let kept = Self.today + -2
        var writer = try PostgresWriter(try schema.open(), nil)
        let records = [record(1, of: "guest", on: kept), record(2, of: "guest", on: kept)]
        _ = try writer.store(FrozenBatch(records: records), at: Self.now)
        let other = try schema.open()
        try other.run("BEGIN; SELECT 1 FROM spans WHERE span_id = 1 FOR UPDATE")
        _ = try await upkeep(ofOthers: 20).run(at: Self.now)
        #expect(try spanIDs() == ["1"])
        try other.run("COMMIT")
        _ = try await upkeep(ofOthers: 20).run(at: Self.now)
        #expect(try spanIDs() == [])
        #expect(try PostgresSchema.rows("SELECT count(*) FROM span_rollups", on: connection) == ["0"])
    }

    @Test func rowsThatCannotBeDeletedKeepNoWholeDay() async throws {
        let kept = Self.today + -2
        var writer = try PostgresWriter(try schema.open(), nil)
        _ = try writer.store(FrozenBatch(records: [record(1, of: "guest", on: kept)]), at: Self.now)
        try addDictionaries()
        try connection.run(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';
            CREATE TRIGGER t BEFORE DELETE ON spans_\(kept.compact) FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
        let log = LogCapture()
        let housekeeping = upkeep(ofOthers: 3).housekeeping(log.logger)
        housekeeping.tick(at: Self.now)
        try await eventually("it has failed") { log.lines.last?.hasPrefix("warning") == true }
        #expect(log.lines.first == "info: dropped days that are over days=2026-01-30")
        #expect(log.lines.last?.hasPrefix("warning: could not keep up the partitions reason=no") == true)
        #expect(try days().first == "20260131" && spanIDs() == ["1"])
        let pruned = "SELECT min(id) FROM resources WHERE id BETWEEN 1 AND 7"
        #expect(try PostgresSchema.rows(pruned, on: connection) == ["2"])
        await housekeeping.finish()
    }

    @Test func whoeverWaitsForAnAnswerComesBackAfterAMinute() async throws {
        let isAsked = Flag()
        let log = LogCapture()
        let housekeeping = upkeep { _ in
            defer { isAsked.set(true) }
            return isAsked.isSet ? true : nil
        }.housekeeping(log.logger)
        housekeeping.tick(at: Self.now)
        // The first of three days is not known of yet.
        try await eventually("the others are dropped") { !log.lines.isEmpty }
        #expect(log.lines == ["info: dropped days that are over days=2026-01-31 2026-02-01"])
        try await eventually("the first is a minute later") {
            housekeeping.tick(at: Self.after(PostgresUpkeep.retryInterval))
            return try days() == Self.left
        }
        await housekeeping.finish()
    }

    @Test func aDayThatMayNotGoStays() async throws {
        let kept = Self.today + -3
        #expect(try await upkeep { $0 != kept }.run(at: Self.now) == [Self.today + -4, Self.today + -2])
        #expect(try days() == ["20260131"] + Self.left)
    }

    @Test func anOpenReaderDelaysItAndNobodyElse() async throws {
        let reader = try schema.open()
        try reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM spans")
        let upkeep = upkeep()
        let first = Task { try await upkeep.run(at: Self.now) }
        let other = try schema.open()
        try await eventually("a detach waits") { try other.run(Self.pending).int(0, 0) == 1 }
        try other.run("SET lock_timeout = '1s'")
        try other.run("SELECT count(*) FROM spans; DELETE FROM spans WHERE span_id = 1; ANALYZE tenants")
        await #expect(throws: PostgresError.self) { try await first.value }
        // Nor does a span of a day of which a partition is about to go, and none can be made beside that.
        let old = record(2, of: "bank", on: Self.today + -4)
        var writer = try PostgresWriter(other, Retention(.seconds(86_400)))
        let counts = try writer.store(FrozenBatch(records: [old, record(3, of: "bank", on: Self.today)]), at: Self.now)
        #expect(counts.expired == 1 && counts.stored == 1)
        #expect(try spanIDs() == ["3"])
        // Partitions for the coming days do not wait for it.
        #expect(try days().contains("20260206"))
        var partitions = PostgresPartitions()
        try partitions.make([Self.today + 10], on: other)
        try reader.run("COMMIT")
        // What was interrupted is finished.
        _ = try await upkeep.run(at: Self.now)
        #expect(try days() == Self.left + ["20260213"])
        #expect(try PostgresSchema.rows("SELECT sum(spans) FROM span_rollups", on: connection) == ["1"])
        #expect(try other.run(Self.pending).int(0, 0) == 0)
    }

    @Test func aSpanOfADayThatIsOverIsLeftOutBesideOneThatIsRefused() throws {
        try connection.run("ALTER TABLE spans ADD CHECK (span_id <> 2)")
        var writer = try PostgresWriter(connection, Retention(.seconds(86_400)))
        let records = [
            record(1, of: "bank", on: Self.today + -9), record(2, of: "bank", on: Self.today),
            record(3, of: "bank", on: Self.today),
        ]
        let counts = try writer.store(FrozenBatch(records: records), at: Self.now)
        #expect(counts == PostgresWriter.Counts(stored: 1, rejected: 1, expired: 1))
        #expect(try spanIDs() == ["3"])
    }

    /// Each alone, they take longer than anybody waits.
    @Test func ofVeryManySpansThatAreRefusedSomeGoTogether() throws {
        try connection.run("ALTER TABLE spans ADD CHECK (span_id > 1100)")
        var writer = try PostgresWriter(connection, Retention(.seconds(86_400)))
        let start = Self.today.start.nanoseconds + 5
        let batch = SampleBatch.record(
            (1...1_300).map { ($0, start) }, tenant: "bank", sequence: 1, received: start)
        let counts = try writer.store(FrozenBatch(records: [batch]), at: Self.now)
        #expect(counts.stored + counts.rejected == 1_300)
        #expect((1_100..<1_300).contains(counts.rejected))
        let rejects = try PostgresSchema.rows("SELECT count(DISTINCT span_id) FROM rejects", on: connection)
        #expect(rejects == ["\(counts.rejected)"])
    }

    @Test func aTableThatSomebodyElseDetachedStays() async throws {
        try connection.run("ALTER TABLE spans DETACH PARTITION spans_20260131")
        _ = try await upkeep().run(at: Self.now)
        #expect(try PostgresSchema.rows(Self.partitions, on: connection).contains("spans_20260131"))
        #expect(try days() == ["20260131"] + Self.left)
    }

    @Test func aTableThatWasDetachedAndNotDroppedGoes() async throws {
        try connection.run(
            """
            COMMENT ON TABLE spans_20260131 IS 'dropped by Weir: its day is over';
            ALTER TABLE spans DETACH PARTITION spans_20260131
            """)
        _ = try await upkeep().run(at: Self.now)
        #expect(try days() == Self.left)
    }

    @Test func aTableThatWasDetachedGoesEvenIfTheRetentionGotLonger() async throws {
        try connection.run(
            """
            COMMENT ON TABLE spans_20260202 IS 'dropped by Weir: its day is over';
            ALTER TABLE spans DETACH PARTITION spans_20260202
            """)
        _ = try await upkeep().run(at: Self.now)
        #expect(!(try PostgresSchema.rows(Self.partitions, on: connection).contains("spans_20260202")))
    }

    @Test func oneProcessAtATimeDoesIt() async throws {
        let key = PostgresLock.key(PostgresLock.Subject.retention.rawValue)
        try connection.run("SELECT pg_advisory_lock(\(key))")
        #expect(try await upkeep().run(at: Self.now) == [])
        #expect(try days().first == "20260130")
        try connection.run("SELECT pg_advisory_unlock(\(key))")
    }

    private func addDictionaries() throws {
        try connection.run(
            """
            INSERT INTO resources SELECT n, 1, date '2026-01-27' + n, '{}', '' FROM generate_series(1, 7) n;
            INSERT INTO scopes SELECT n, 1, date '2026-01-27' + n, '', '', '{}', '' FROM generate_series(1, 7) n;
            INSERT INTO rejects SELECT timestamptz '2026-01-27 00:00:00+00' + n * interval '1 day', 1, 1, 1,
                gen_random_uuid(), n, '', '' FROM generate_series(1, 7) n
            """)
    }

    @Test func aDayThatMayNotGoKeepsWhatItsSpansNeed() async throws {
        try addDictionaries()
        let kept = Self.today + -3
        _ = try await upkeep { $0 != kept }.run(at: Self.now)
        #expect(try PostgresSchema.rows("SELECT min(id) FROM resources", on: connection) == ["2"])
        #expect(try PostgresSchema.rows("SELECT min(id) FROM scopes", on: connection) == ["2"])
        #expect(try PostgresSchema.rows("SELECT min(span_id) FROM rejects", on: connection) == ["4"])
    }

    @Test func whatOnlyOldSpansNeededIsPruned() async throws {
        try addDictionaries()
        _ = try await upkeep().run(at: Self.now)
        #expect(try PostgresSchema.rows("SELECT min(id) FROM resources", on: connection) == ["4"])
        #expect(try PostgresSchema.rows("SELECT min(id) FROM scopes", on: connection) == ["4"])
        #expect(try PostgresSchema.rows("SELECT min(span_id) FROM rejects", on: connection) == ["6"])
    }

    @Test func itIsDueEachHourAndHoldsUpNobody() async throws {
        let log = LogCapture()
        let housekeeping = upkeep().housekeeping(log.logger)
        housekeeping.tick(at: Self.now)
        housekeeping.tick(at: Self.now)
        try await eventually("the first tick drops") { try days() == Self.left }
        try await eventually("and says so") {
            log.lines == ["info: dropped days that are over days=2026-01-30 2026-01-31 2026-02-01"]
        }
        await housekeeping.finish()
        housekeeping.tick(at: Self.after(PostgresUpkeep.interval * 2))
        await housekeeping.finish()
        #expect(log.lines.count == 1)
    }

    @Test func whatFailsIsSaidAndTriedAgainAfterAMinute() async throws {
        let log = LogCapture()
        let reader = try schema.open()
        try reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM spans")
        let housekeeping = upkeep().housekeeping(log.logger)
        housekeeping.tick(at: Self.now)
        try await eventually("it gives up") { !log.lines.isEmpty }
        #expect(log.lines[0].hasPrefix("warning: could not keep up the partitions reason=another session holds a lock"))
        try reader.run("COMMIT")
        try await eventually("it works a minute later") {
            housekeeping.tick(at: Self.after(PostgresUpkeep.retryInterval))
            return try days() == Self.left
        }
        await housekeeping.finish()
    }

    @Test func stoppingInterruptsIt() async throws {
        let reader = try schema.open()
        try reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM spans")
        let log = LogCapture()
        let housekeeping = upkeep().housekeeping(log.logger)
        housekeeping.tick(at: Self.now)
        let other = try schema.open()
        try await eventually("a detach waits") {
            try other.run(Self.pending).int(0, 0) == 1
        }
        // The reader is still there, so what waits for it would wait for ever.
        await housekeeping.finish()
        #expect(log.lines == [])
    }
}
