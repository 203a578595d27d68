import Testing

@testable import Weir

/// What stands in each column.
struct PostgresRowsTests {
    private static let start = SampleBatch.fourOClock
    private static let text = String(repeating: "é", count: 3_500)

    /// The values of the only row, by column.
    private func row(_ table: String, of sample: PostgresSample) throws -> [String: String] {
        let columns = try sample.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = '\(table)'::regclass AND attnum > 0 ORDER BY attnum")
        let values = try sample.rows("SELECT * FROM \(table)")
        try #require(values.count == 1)
        let fields = values[0].split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        try #require(columns.count == fields.count)
        return Dictionary(uniqueKeysWithValues: zip(columns, fields))
    }

    private static func payload() -> Payload {
        Message { request in
            request.message(Tag.resourceSpans) { resource in
                resource.message(Tag.resource) { resource in
                    resource.attribute(Tag.resourceAttributes, "service.name") { $0.text(Tag.stringValue, "shop") }
                }
                resource.text(Tag.resourceSchemaURL, "https://schema/1")
                resource.message(Tag.scopeSpans) { scope in
                    scope.message(Tag.scope) {
                        $0.text(Tag.scopeName, "lib")
                        $0.text(Tag.scopeVersion, "1.2")
                        $0.attribute(Tag.scopeAttributes, "deep") { $0.number(Tag.intValue, 3) }
                    }
                    scope.message(Tag.spans) { span(&$0) }
                    scope.text(Tag.scopeSchemaURL, "https://schema/2")
                }
            }
        }.payload
    }

    private static func span(_ span: inout Message) {
        span.identifier(Tag.traceID, 0x0102_0304_0506_0708, 0x090A_0B0C_0D0E_0F10)
        span.identifier(Tag.spanID, 0xFFFF_FFFF_FFFF_FFFE)
        span.text(Tag.traceState, "a=b")
        span.identifier(Tag.parentSpanID, 9)
        span.text(Tag.name, "chat")
        span.number(Tag.kind, 3)
        span.fixed64(Tag.startTime, start + 123_456_789)
        span.fixed64(Tag.endTime, start + 623_456_789)
        for (key, value) in [
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt",
            "gen_ai.response.model": "gpt-4", "gen_ai.response.id": "r1", "gen_ai.conversation.id": "c1",
            "session.id": "s1", "user.id": "u1",
        ].sorted(by: { $0.key < $1.key }) {
            span.attribute(Tag.attributes, key) { $0.text(Tag.stringValue, value) }
        }
        span.attribute(Tag.attributes, "gen_ai.usage.input_tokens") { $0.number(Tag.intValue, 1_000) }
        span.attribute(Tag.attributes, "gen_ai.usage.output_tokens") { $0.number(Tag.intValue, 20) }
        span.number(Tag.droppedAttributes, 4)
        span.message(Tag.events) {
            $0.fixed64(Tag.eventTime, start)
            $0.text(Tag.eventName, "tick")
        }
        span.number(Tag.droppedEvents, 5)
        span.message(Tag.links) {
            $0.identifier(Tag.linkTraceID, 1, 2)
            $0.identifier(Tag.linkSpanID, 3)
        }
        span.number(Tag.droppedLinks, 0xFFFF_FFFF)
        span.message(Tag.status) {
            $0.text(Tag.statusMessage, "too slow")
            $0.number(Tag.statusCode, 2)
        }
        span.fixed32(Tag.flags, 0xFFFF_FFFF)
    }

    private func stored() async throws -> PostgresSample {
        let sample = try PostgresSample()
        let record = JournalRecord(
            sequence: 12, tenant: "acme", receivedAt: sample.clock.now, spanCount: 1, payload: Self.payload())
        try await sample.export(record, journal: 0xFEDC_BA98_7654_3210)
        return sample
    }

    @Test func everyColumnOfASpanIsReadBack() async throws {
        let sample = try await stored()
        let row = try row("spans", of: sample)
        let expected = [
            "start_time": "2026-02-03 04:00:00.123456+00", "start_ns": "1770091200123456789",
            "duration_ns": "500000000", "trace_id": "01020304-0506-0708-090a-0b0c0d0e0f10", "span_id": "-2",
            "parent_span_id": "9", "journal": "-81985529216486896", "sequence": "12", "tenant_id": "1", "flags": "-1",
            "dropped_attributes": "4", "dropped_events": "5", "dropped_links": "2147483647",
            "kind": "3", "status": "2",
            "operation": "1", "clock_suspect": "f", "service": "shop", "name": "chat", "status_message": "too slow",
            "trace_state": "a=b", "session_id": "s1", "conversation_id": "c1", "user_id": "u1", "call_id": "NULL",
            "adjusted_count": "NULL",
            "links":
                #"[{"span_id": "0000000000000003", "trace_id": "00000000000000010000000000000002"}]"#,
            "events": #"[{"name": "tick", "time_unix_nano": 1770091200000000000}]"#,
        ]
        for (column, value) in expected { #expect(row[column] == value, "\(column)") }
        #expect(
            try sample.rows("SELECT attributes ->> 'gen_ai.usage.input_tokens', attributes ->> 'user.id' FROM spans")
                == ["1000|u1"])
        #expect(Set(row.keys) == Set(SpanRow.columns))
        #expect(
            Set(SpanRow.columns).subtracting(expected.keys) == ["resource_id", "scope_id", "attributes"])
        #expect(
            try sample.rows(
                "SELECT r.tenant_id, r.last_seen, attributes, schema_url FROM resources r") == [
                    #"1|2026-02-03|{"service.name": "shop"}|https://schema/1"#
                ])
        #expect(
            try sample.rows("SELECT tenant_id, last_seen, name, version, attributes, schema_url FROM scopes") == [
                #"1|2026-02-03|lib|1.2|{"deep": 3}|https://schema/2"#
            ])
        #expect(
            try sample.rows("SELECT s.resource_id = r.id, s.scope_id = c.id FROM spans s, resources r, scopes c")
                == ["t|t"])
    }

    @Test func everyColumnOfUsageIsReadBack() async throws {
        let sample = try await stored()
        let row = try row("llm_usage", of: sample)
        let expected = [
            "start_time": "2026-02-03 04:00:00.123456+00", "trace_id": "01020304-0506-0708-090a-0b0c0d0e0f10",
            "span_id": "-2", "tenant_id": "1", "status": "2", "operation": "1", "duration_ns": "500000000",
            "time_to_first_token_ns": "NULL", "input_tokens": "1000", "output_tokens": "20",
            "cache_read_tokens": "NULL", "cache_write_tokens": "NULL", "reasoning_tokens": "NULL",
            "total_cost": "NULL", "cost_source": "NULL", "service": "shop", "provider": "openai",
            "request_model": "gpt", "model": "gpt-4", "response_id": "r1", "agent": "NULL", "workflow": "NULL",
            "session_id": "s1", "conversation_id": "c1", "user_id": "u1", "call_id": "NULL", "sampled_out_by": "NULL",
        ]
        #expect(row == expected)
    }

    @Test func everyColumnOfARollupIsReadBack() async throws {
        let sample = try await stored()
        let row = try row("span_rollups", of: sample)
        let bucket = DurationHistogram.bucket(of: 500_000_000)
        #expect(
            row == [
                "minute": "2026-02-03 04:00:00+00", "tenant_id": "1", "operation": "1", "kind": "3", "spans": "1",
                "errors": "1", "duration_ns": "500000000", "input_tokens": "1000", "output_tokens": "20",
                "total_cost": "0.000000000000", "unpriced": "1", "durations": "{\"\(bucket)\": 1}",
                "service": "shop", "name": "chat", "model": "gpt-4",
            ])
    }

    @Test func aCallThatIsSentTwiceCostsOnce() async throws {
        let sample = try await stored()
        let record = JournalRecord(
            sequence: 13, tenant: "acme", receivedAt: sample.clock.now, spanCount: 1, payload: Self.payload())
        try await sample.export(record, journal: 0xFEDC_BA98_7654_3210)
        #expect(try sample.rows("SELECT (SELECT count(*) FROM spans), (SELECT count(*) FROM llm_usage)") == ["2|1"])
    }

    @Test func whatTheTablesCouldNotTakeIsMadeToFit() async throws {
        let sample = try PostgresSample()
        var zero = SpanFixture(("key", .string("a\u{0}b")), ("\u{0}", .string("")))
        zero.name = "na\u{0}me"
        var long = SpanFixture(("session.id", .string(Self.text)))
        long.name = Self.text
        let number = SpanFixture(
            ("nan", .double(.nan)), ("infinite", .double(-.infinity)), ("large", .double(1e308)))
        try await sample.export(PostgresSample.record(1, [zero, long, number]))
        #expect(try sample.rows("SELECT name FROM spans WHERE length(name) = 7") == [])
        #expect(
            try sample.rows("SELECT attributes FROM spans WHERE name = 'na\u{FFFD}me'") == [
                "{\"key\": \"a\u{FFFD}b\", \"\u{FFFD}\": \"\"}"
            ])
        #expect(
            try sample.rows("SELECT name, session_id FROM spans WHERE name LIKE 'é%'") == [
                String(repeating: "é", count: 256) + "|" + String(repeating: "é", count: 128)
            ])
        #expect(
            try sample.rows("SELECT attributes -> 'nan', attributes -> 'infinite' FROM spans WHERE attributes ? 'nan'")
                == [#""NaN"|"-Infinity""#])
        #expect(sample.count("rejected_spans") == 0)
    }

    @Test func timesOutsideTheWindowAreMovedAndKept() async throws {
        let sample = try PostgresSample()
        let starts: [UInt64] = [
            0, 1, 4_070_908_800_000_000_000, 9_223_372_036_854_775_807, 9_223_372_036_854_775_808, .max,
        ]
        try await sample.export(SampleBatch.record(starts.enumerated().map { (UInt64($0.offset + 1), $0.element) }))
        let early = "2026-01-04 00:00:00+00|t"
        let late = "2026-02-04 23:59:59.999999+00|t"
        #expect(
            try sample.rows("SELECT start_ns, start_time, clock_suspect FROM spans ORDER BY span_id") == [
                "0|\(early)", "1|\(early)", "4070908800000000000|\(late)", "9223372036854775807|\(late)",
                "-9223372036854775808|\(late)", "-1|\(late)",
            ])
        #expect(sample.count("clock_suspect_spans") == 6)
    }
}
