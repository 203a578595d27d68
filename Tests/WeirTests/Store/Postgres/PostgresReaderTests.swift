import Testing

@testable import Weir

/// What the reader makes of a database that does not answer as it should.
@Suite struct PostgresReaderTests {
    private let tenant = Tenant("default")
    private let window = QuerySample.window

    private func reader(_ schema: PostgresSchema, _ limit: TimeLimit = .patient) -> PostgresReader {
        PostgresReader(schema.connection, schema: schema.name, limit)
    }

    @Test func missingTablesAreSaid() async throws {
        let schema = try PostgresSchema()
        let error = await #expect(throws: QueryError.self) {
            try await reader(schema).page(ServicesQuery(tenant, in: window))
        }
        let wanted = "wanted those that `weir store migrate` or the exporter makes"
        #expect(error == .unavailable("found no tables in schema \(schema.name), \(wanted)"))
    }

    @Test func aDatabaseThatIsNotThereIsSaid() async throws {
        let reader = PostgresReader("host=/nonexistent user=a password=geheim", schema: "weir")
        let error = await #expect(throws: QueryError.self) {
            try await reader.page(ServicesQuery(tenant, in: window))
        }
        guard case .unavailable(let reason)? = error else {
            Issue.record("found \(String(describing: error)), wanted one that says why")
            return
        }
        #expect(!reason.contains("geheim") && reason.contains("/nonexistent"))
    }

    @Test func aTableThatIsLockedIsNotWaitedForForEver() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...2))
        let reader = reader(sample.schema, TimeLimit(duration: .milliseconds(200)))
        let other = try sample.schema.open()
        try other.run("BEGIN; LOCK TABLE spans IN ACCESS EXCLUSIVE MODE")
        await #expect(throws: QueryError.timedOut(.milliseconds(200))) {
            try await reader.page(SpanSearch(tenant, in: window))
        }
        try other.run("ROLLBACK")
        // Another session is made. A slow machine may need several attempts to be that fast.
        var found: Int?
        for _ in 0..<50 where found == nil { found = try? await reader.page(SpanSearch(tenant, in: window)).rows.count }
        #expect(found == 2)
    }

    @Test func aSessionThatEndedIsReplaced() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...2))
        let name = sample.schema.name
        let reader = PostgresReader("\(sample.schema.connection) application_name=\(name)", schema: name, .patient)
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.count == 2)
        let ended = try sample.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '\(name)'")
        #expect(ended == ["t"])
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.count == 2)
    }

    @Test func anAnswerThatIsTooLargeEndsItsSession() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...20))
        let name = sample.schema.name
        let reader = PostgresReader("\(sample.schema.connection) application_name=\(name)", schema: name, .patient)
        func sessions() throws -> [String] {
            try sample.rows("SELECT pid::text FROM pg_stat_activity WHERE application_name = '\(name)'")
        }
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.count == 20)
        let before = try sessions()
        let limit = ByteCount(1_000)
        await #expect(throws: QueryError.tooLarge(limit)) {
            try await reader.page(SpanSearch(tenant, in: window), atMost: limit)
        }
        // What the server still had to say is in nobody's answer.
        #expect(try await reader.page(SpanSearch(tenant, in: window)).rows.count == 20)
        let after = try sessions()
        #expect(before.count == 1 && after.last != before.first)
    }

    @Test func readersCannotWrite() async throws {
        let sample = try PostgresSample()
        try await sample.export(PostgresSample.record(1, 1...1))
        let session = PostgresReaderSession(sample.schema.connection, schema: sample.schema.name, .patient)
        let error = await #expect(throws: QueryError.self) { try await session.rows("DELETE FROM spans") }
        #expect(error?.description.contains("read-only transaction") == true)
    }

    @Test func everyLookUpGoesThroughTheIndexThatIsThereForIt() async throws {
        let sample = try PostgresSample()
        let calls = (1...2_000 as ClosedRange<UInt64>).map { id in
            var call = QuerySample.call(id, model: "m", user: "u\(id)", tokens: 1)
            call.attributes += ["session.id", "gen_ai.conversation.id", "call_id"].map {
                NewPair(key: $0, value: .string("\(id)"))
            }
            (call.parentSpanID, call.status) = (id % 100 == 0 ? 0 : 1, id % 50 == 0 ? 2 : 0)
            call.name = "call \(id % 100)"
            return call
        }
        try await sample.export(PostgresSample.record(1, calls))
        _ = try sample.rows("ANALYZE spans, llm_usage, cost_ledger, span_rollups")
        let indexes = try sample.rows(
            """
            SELECT p.relname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            JOIN pg_class p ON p.oid = i.inhparent
            WHERE c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace AND c.relname LIKE '%20260203%'
            """)
        let names = Dictionary(indexes.map { $0.split(separator: "|") }.map { ($0[0], $0[1]) }) { first, _ in first }
        let session = PostgresReaderSession(sample.schema.connection, schema: sample.schema.name, .patient)
        // So few rows are read from end to end as fast.
        _ = try await session.rows("SET enable_seqscan = off")
        let day = TimeWindow(
            from: Timestamp(nanoseconds: SampleBatch.fourOClock),
            to: Timestamp(nanoseconds: SampleBatch.fourOClock + SampleBatch.hour))
        func search(_ change: (inout SpanSearch) -> Void) -> SQLText {
            var search = SpanSearch(tenant, in: day)
            change(&search)
            return search.sql(in: day, atMost: 10, .postgres)
        }
        let id = try #require(TraceID("00000000000000010000000000000001"))
        var latency = LatencyQuery(tenant, in: day)
        (latency.service, latency.name) = ("a", "b")
        var cost = CostQuery(.one(tenant), by: .model, in: day)
        let ofTenant = cost.sql(in: day, atMost: 10, .postgres)
        cost.trace = id
        let questions: [(SQLText, Substring)] = [
            (search { $0.onlyRoots = true }, "spans_root"), (search { $0.status = 2 }, "spans_error"),
            (search { ($0.service, $0.name) = ("a", "b") }, "spans_operation"),
            (search { $0.sessionID = "s" }, "spans_session"), (search { $0.userID = "u" }, "spans_user"),
            (search { ($0.callID, $0.status) = ("c", 1) }, "spans_call"),
            (search { $0.conversationID = "c" }, "spans_conversation"),
            (TraceQuery(tenant, id: id, in: day).sql(in: day, atMost: 10, .postgres), "spans_trace"),
            (SampledOutCallsQuery(tenant, id: id, in: day).sql(in: day, atMost: 10, .postgres), "llm_usage_pkey"),
            (latency.sql(in: day, atMost: 10, .postgres), "span_rollups_operation"),
            (ofTenant, "cost_ledger_tenant"), (cost.sql(in: day, atMost: 10, .postgres), "cost_ledger_pkey"),
        ]
        for (question, index) in questions {
            let plan = try await session.rows("EXPLAIN \(question)").rows.compactMap { $0.first ?? nil }
                .joined(separator: "\n")
            let name = try #require(names[index])
            #expect(plan.contains("using \(name) on") || plan.contains("Index Scan on \(name) "), "\(index): \(plan)")
        }
    }

    @Test func daysOutsideTheWindowAreNotLookedInto() async throws {
        let sample = try PostgresSample()
        try await sample.export(
            SampleBatch.record(
                [(1, SampleBatch.fourOClock), (2, SampleBatch.fourOClock - Day.nanoseconds)], sequence: 1))
        let day = TimeWindow(from: Timestamp(nanoseconds: SampleBatch.fourOClock))
        let session = PostgresReaderSession(sample.schema.connection, schema: sample.schema.name, .patient)
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let statements = [
            SpanSearch(tenant, in: day).sql(in: day, atMost: 10, .postgres),
            TraceQuery(tenant, id: id, in: day).sql(in: day, atMost: 10, .postgres),
            LatencyQuery(tenant, in: day).sql(in: day, atMost: 10, .postgres),
            CostQuery(.one(tenant), by: .model, in: day).sql(in: day, atMost: 10, .postgres),
        ]
        for statement in statements {
            let plan = try await session.rows("EXPLAIN \(statement)").rows.compactMap { $0.first ?? nil }.joined()
            #expect(plan.contains("_20260203") && !plan.contains("_20260202"), "\(plan)")
        }
    }
}
