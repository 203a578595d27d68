import Foundation
import Testing

@testable import Weir

@Suite struct SQLiteExporterTests {
    private let start = SampleBatch.fourOClock
    private let day = SQLiteSample.day

    @Test func writesEveryColumnOfASpan() async throws {
        let sample = try SQLiteSample()
        try await sample.export(Self.call())
        #expect(
            try sample.lines("SELECT * FROM spans") == [
                [
                    "\(start / 1_000)", "\(start)", "1500000001", "5b8efff798038103d269b633813fc60c",
                    "-1234605616436508552", "1", try sample.lines("SELECT id FROM resources")[0],
                    try sample.lines("SELECT id FROM scopes")[0], "7", "1", "1", "257", "3", "4", "5", "3", "2", "1",
                    "0",
                    "shop", "chat gpt-5", "no cake", "a=b", "s1", "c1", "u1", "k1",
                ].joined(separator: "|") + "|"
                    + (try sample.lines("SELECT attributes || '|' || events || '|' || links FROM spans")[0]) + "|NULL"
            ])
        #expect(
            try sample.lines(
                """
                SELECT attributes ->> '$."gen_ai.request.model"', events -> '$[0]' ->> '$.name',
                links -> '$[0]' ->> '$.trace_id', json_valid(attributes) + json_valid(events) + json_valid(links)
                FROM spans
                """
            ) == ["gpt-5|boom|00000000000000010000000000000002|3"])
        #expect(
            try sample.lines("SELECT tenant_id, attributes, schema_url FROM resources")
                == [#"1|{"service.name":"shop"}|https://r"#])
        #expect(
            try sample.lines("SELECT tenant_id, name, version, attributes, schema_url FROM scopes")
                == [#"1|lib|1.0|{}|https://s"#])
        #expect(try sample.lines("SELECT id, name FROM tenants") == ["1|default"])
        #expect(try sample.lines("SELECT id, name FROM tenants", day: nil) == ["1|default"])
    }

    @Test func writesEveryColumnOfACallOfAModel() async throws {
        let sample = try SQLiteSample()
        try await sample.export(Self.call())
        #expect(
            try sample.lines("SELECT * FROM llm_usage") == [
                "\(start / 1_000)|5b8efff798038103d269b633813fc60c|-1234605616436508552|1|2|1|1500000001|250000000|100|20"
                    + "|30|40|7|1500000000|provider|shop|openai|gpt-5|gpt-5-mini|r1|planner|trip|s1|c1|u1|k1|NULL"
            ])
        #expect(
            try sample.lines("SELECT * FROM span_rollups") == [
                "\(start / 60_000_000_000 * 60_000_000)|1|1|3|1|1|1500000001|100|20|1500000000|0"
                    + #"|{"243":1}|shop|chat gpt-5|gpt-5-mini"#
            ])
    }

    @Test func writesNULLForWhatASpanDoesNotSay() async throws {
        let sample = try SQLiteSample()
        let json = """
            {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
            "spanId":"000000000000000a","name":"","startTimeUnixNano":"START"}]}]}]}
            """
        try await sample.export(SampleBatch.record(json: json))
        #expect(
            try sample.lines(
                """
                SELECT duration_ns, parent_span_id, dropped_attributes, dropped_events, dropped_links, status_message,
                trace_state, session_id, conversation_id, user_id, call_id, events, links FROM spans
                """) == [Array(repeating: "NULL", count: 13).joined(separator: "|")])
        #expect(
            try sample.lines("SELECT service, name, typeof(name), attributes, flags, kind, status FROM spans")
                == ["unknown_service||text|{}|0|0|0"])
        #expect(try sample.lines("SELECT count(*) FROM llm_usage") == ["0"])
    }

    @Test func writesDaysAndTenantsOfOneBatch() async throws {
        let sample = try SQLiteSample()
        try await sample.export(
            SampleBatch.record([(1, start), (2, start - day)], tenant: "a"),
            SampleBatch.record([(3, start - day), (4, start + day)], tenant: "b", sequence: 2),
            SampleBatch.record([(5, start)], tenant: "a", sequence: 3))
        await sample.exporter.finish()
        #expect(
            sample.directory.files() == [
                "hot/meta.db", "hot/spans-20260202.db", "hot/spans-20260203.db", "hot/spans-20260204.db",
            ])
        let query = "SELECT s.span_id || t.name FROM spans s JOIN tenants t ON t.id = s.tenant_id ORDER BY 1"
        #expect(try sample.lines(query, day: "20260202") == ["2a", "3b"])
        #expect(try sample.lines(query) == ["1a", "5a"])
        #expect(try sample.lines(query, day: "20260204") == ["4b"])
        #expect(try sample.lines("SELECT id, name FROM tenants ORDER BY id", day: nil) == ["1|a", "2|b"])
        #expect(try sample.lines("SELECT id, name FROM tenants", day: "20260204") == ["2|b"])
        // A resource of each tenant, in each day that has spans of it.
        #expect(try sample.lines("SELECT count(*) FROM resources") == ["1"])
        #expect(try sample.lines("SELECT count(*) FROM resources", day: "20260202") == ["2"])
        #expect(try sample.ledger(day: "20260202") == ["1-2 2/0"])
        #expect(try sample.ledger() == ["1-3 2/0"])
        #expect(try sample.ledger(day: "20260204") == ["2-2 1/0"])
    }

    @Test func movesASpanOfAFarOffClockAndKeepsWhatItSaid() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, 5), (2, start + 900 * day), (3, start), (4, .max)]))
        let query = "SELECT span_id, start_ns, clock_suspect, start_time FROM spans ORDER BY span_id"
        let edge = start / 1_000 - 4 * 3_600_000_000
        #expect(try sample.lines(query, day: "20260104") == ["1|5|1|\(edge - 30 * 86_400_000_000)"])
        #expect(
            try sample.lines(query, day: "20260204") == [
                "2|\(start + 900 * day)|1|\(edge + 2 * 86_400_000_000 - 1)", "4|-1|1|\(edge + 2 * 86_400_000_000 - 1)",
            ])
        #expect(try sample.lines(query) == ["3|\(start)|0|\(start / 1_000)"])
        #expect(sample.metric("stored_spans") == 4)
        #expect(sample.metric("clock_suspect_spans") == 3)
    }

    @Test func writesNothingForABatchWithoutSpans() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([]))
        await sample.exporter.finish()
        #expect(sample.directory.files() == ["hot/meta.db"])
    }

    @Test func givesFilesToOwnerAndGroup() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampleBatch.record([(1, start)]))
        let files = sample.directory.files()
        #expect(files.count == 6)
        for file in files {
            let path = "\(sample.directory.path)/\(file)"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o640, "\(file)")
        }
    }

    @Test func doesNotStartWhereItCannotWrite() throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(fileURLWithPath: "\(directory.path)/hot"))
        let path = "\(directory.path)/hot"
        #expect(throws: SQLiteFailure(path, FileError("mkdir", path, code: ENOTDIR))) {
            _ = try SQLiteSample(in: directory)
        }
    }

    private static func call(sequence: UInt64 = 1) throws -> JournalRecord {
        try SampleBatch.record(
            json: """
                {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
                "schemaUrl":"https://r","scopeSpans":[{"scope":{"name":"lib","version":"1.0"},"schemaUrl":"https://s",
                "spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eeddccbbaa998878","parentSpanId":
                "0000000000000001","traceState":"a=b","flags":257,"name":"chat gpt-5","kind":3,"startTimeUnixNano":"START",
                "endTimeUnixNano":"END","status":{"code":2,"message":"no cake"},
                "droppedAttributesCount":3,"droppedEventsCount":4,"droppedLinksCount":5,"attributes":[
                {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
                {"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},
                {"key":"gen_ai.request.model","value":{"stringValue":"gpt-5"}},
                {"key":"gen_ai.response.model","value":{"stringValue":"gpt-5-mini"}},
                {"key":"gen_ai.response.id","value":{"stringValue":"r1"}},
                {"key":"gen_ai.response.time_to_first_chunk","value":{"doubleValue":0.25}},
                {"key":"gen_ai.usage.input_tokens","value":{"intValue":"100"}},
                {"key":"gen_ai.usage.output_tokens","value":{"intValue":"20"}},
                {"key":"gen_ai.usage.cache_read.input_tokens","value":{"intValue":"30"}},
                {"key":"gen_ai.usage.cache_write.input_tokens","value":{"intValue":"40"}},
                {"key":"gen_ai.usage.reasoning.output_tokens","value":{"intValue":"7"}},
                {"key":"gen_ai.usage.cost","value":{"doubleValue":0.0015}},
                {"key":"gen_ai.agent.name","value":{"stringValue":"planner"}},
                {"key":"gen_ai.workflow.name","value":{"stringValue":"trip"}},
                {"key":"session.id","value":{"stringValue":"s1"}},
                {"key":"gen_ai.conversation.id","value":{"stringValue":"c1"}},
                {"key":"user.id","value":{"stringValue":"u1"}},{"key":"call_id","value":{"stringValue":"k1"}}],
                "events":[{"timeUnixNano":"START","name":"boom"}],
                "links":[{"traceId":"00000000000000010000000000000002","spanId":"0000000000000003"}]}]}]}]}
                """.replacingOccurrences(of: "END", with: "\(SampleBatch.fourOClock + 1_500_000_001)"),
            sequence: sequence)
    }
}
