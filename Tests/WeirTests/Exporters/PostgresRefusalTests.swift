import Testing

@testable import Weir

/// Spans that the tables do not take go to `rejects`, and the others are stored.
struct PostgresRefusalTests {
    private static let rejects = "SELECT span_id FROM rejects ORDER BY 1"
    private static let ledger = "SELECT first_sequence, last_sequence, spans, rejected FROM ledger ORDER BY 1"

    /// - Parameter constraint: on which table, and what it wants.
    private func sample(_ constraints: (table: String, check: String)...) throws -> PostgresSample {
        let sample = try PostgresSample()
        let connection = try sample.schema.openWithTables()
        for (table, check) in constraints {
            try connection.run("ALTER TABLE \(table) ADD CONSTRAINT refused CHECK (\(check))")
        }
        return sample
    }

    @Test(arguments: [[1], [50], [100], [1, 2], [99, 100], [33, 34, 77], [1, 50, 100]])
    func badSpansAreFoundAmongGoodOnes(_ bad: [UInt64]) async throws {
        let list = bad.map { "\($0)" }.joined(separator: ", ")
        let sample = try sample(("spans", "span_id NOT IN (\(list))"))
        for _ in 1...2 {
            try await sample.export(PostgresSample.record(1, 1...40), PostgresSample.record(2, 41...100))
            #expect(try sample.spanIDs() == (1...100).filter { !bad.contains($0) })
            #expect(try sample.rows(Self.rejects) == bad.map { "\($0)" })
            #expect(try sample.rows(Self.ledger) == ["1|2|\(100 - bad.count)|\(bad.count)"])
            #expect(try sample.rows("SELECT sum(spans) FROM span_rollups") == ["\(100 - bad.count)"])
        }
        #expect(sample.count("stored_spans") == 100 - bad.count)
        #expect(sample.count("rejected_spans") == bad.count && sample.count("repeated_spans") == 100)
        #expect(
            sample.log.lines.contains("warning: the tables did not take spans; they are in rejects spans=\(bad.count)"))
    }

    @Test func whatATriggerRaisesIsARefusal() async throws {
        let sample = try PostgresSample()
        try sample.schema.openWithTables().run(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'not this one'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON spans FOR EACH ROW WHEN (new.span_id = 20)
                EXECUTE FUNCTION refuse()
            """)
        try await sample.export(PostgresSample.record(1, 1...40))
        #expect(try sample.spanIDs() == (1...40).filter { $0 != 20 })
        #expect(try sample.rows("SELECT reason FROM rejects") == ["not this one (SQLSTATE P0001)"])
    }

    @Test func allMayBeRefused() async throws {
        let sample = try sample(("spans", "span_id > 1000"))
        try await sample.export(PostgresSample.record(1, 1...40))
        #expect(try sample.spanIDs() == [])
        #expect(try sample.rows(Self.rejects).count == 40)
        #expect(try sample.rows(Self.ledger) == ["1|1|0|40"])
    }

    @Test func aRejectHasTheReasonAndTheSpan() async throws {
        let sample = try sample(("spans", "name <> 'bad'"))
        var spans = (1...3).map { id in
            var span = SpanFixture(("number", .int(Int64(id))))
            span.spanID = UInt64(id)
            span.resource = [NewPair(key: "service.name", value: .string("service \(id)"))]
            return span
        }
        spans[1].name = "bad"
        try await sample.export(PostgresSample.record(9, spans))
        let rows = try sample.rows(
            """
            SELECT journal, sequence, tenant_id, trace_id, span_id, reason, encode(span, 'hex'),
                rejected_at > now() - interval '1 hour' FROM rejects
            """)
        let fields = try #require(rows.first).split(separator: "|").map(String.init)
        #expect(Array(fields[..<5]) == ["7", "9", "1", "0af76519-16cd-43dd-8448-eb211c80319c", "2"])
        #expect(fields[5].contains("violates check constraint \"refused\"") && fields[5].hasSuffix("(SQLSTATE 23514)"))
        #expect(fields[7] == "t")
        var otlp: [UInt8] = []
        var rest = fields[6][...]
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            otlp.append(byte)
            rest = rest.dropFirst(2)
        }
        try SampleBatch.decode(otlp) { batch in
            #expect(batch.spanCount == 1 && batch.text(batch.spans[0].name) == "bad")
            #expect(batch.value(of: AttributeKey("number"), in: batch.spans[0].attributes)?.description == "2")
            let resource = batch.resources[0]
            #expect(batch.value(of: AttributeKey("service.name"), in: resource.attributes)?.description == "service 2")
            #expect(batch.text(batch.scopes[0].name) == "io.shop.http")
        }
    }

    @Test func aCallWhoseUsageIsRefusedIsRejected() async throws {
        let sample = try sample(("llm_usage", "input_tokens < 10"))
        let spans = (1...5).map { id in
            var span = SpanFixture(
                ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(id == 3 ? 10 : 1)))
            span.spanID = UInt64(id)
            return span
        }
        try await sample.export(PostgresSample.record(1, spans))
        #expect(try sample.spanIDs() == [1, 2, 4, 5])
        #expect(try sample.rows("SELECT span_id FROM llm_usage ORDER BY 1") == ["1", "2", "4", "5"])
        #expect(try sample.rows(Self.rejects) == ["3"])
    }

    @Test func spansOfARefusedResourceAreRejected() async throws {
        let sample = try sample(
            ("resources", "attributes ->> 'service.name' <> 'bad'"), ("scopes", "name <> 'bad'"))
        let spans = (1...4).map { id in
            var span = SpanFixture()
            span.spanID = UInt64(id)
            if id == 2 { span.resource = [NewPair(key: "service.name", value: .string("bad"))] }
            if id == 3 { span.scopeName = "bad" }
            return span
        }
        try await sample.export(PostgresSample.record(1, spans))
        #expect(try sample.spanIDs() == [1, 4])
        #expect(try sample.rows(Self.rejects) == ["2", "3"])
        #expect(
            try sample.rows(
                "SELECT count(*) FROM spans JOIN resources r ON r.id = resource_id JOIN scopes s ON s.id = scope_id")
                == ["2"])
    }

    @Test func ofWhatIsStoredNothingIsRejectedAgain() async throws {
        let sample = try sample(("spans", "span_id <> 2"))
        try await sample.export(PostgresSample.record(1, 1...3))
        try await sample.export(PostgresSample.record(1, 1...3), PostgresSample.record(2, 4...6))
        #expect(try sample.spanIDs() == [1, 3, 4, 5, 6])
        #expect(try sample.rows(Self.rejects) == ["2"])
        #expect(try sample.rows(Self.ledger) == ["1|2|5|1"])
    }
}

extension AnyValue {
    /// Of a text or an integer.
    fileprivate var description: String {
        switch self {
        case .string(let text): String(decoding: text, as: UTF8.self)
        case .int(let number): "\(number)"
        default: "something else"
        }
    }
}
