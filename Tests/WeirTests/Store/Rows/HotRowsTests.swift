import Foundation
import Testing

@testable import Weir

struct HotRowsTests {
    /// 2023-11-14T22:13:20Z, when the fixture's spans start.
    static let start: UInt64 = 1_700_000_000_000_000_000

    /// Rows that a test can hand about.
    final class Made {
        var rows = HotRows()

        var spans: [SpanRow] { rows.spans }
        var usage: [UsageRow] { rows.usage }
        var resources: [DictionaryRow] { rows.resources }
        var scopes: [DictionaryRow] { rows.scopes }

        func text(_ ref: TextRef) -> String? {
            rows.bytes(ref).map { String(decoding: $0, as: UTF8.self) }
        }

        func rollups(of indices: [Int]) -> [RollupRow.Key: RollupRow] { rows.rollups(of: indices) }
    }

    static func rows(
        _ spans: [SpanFixture], receivedAt: UInt64 = start + 1_000_000_000, tenantID: Int32 = 7
    ) throws -> Made {
        let made = Made()
        var batch = try SpanFixture.batch(spans)
        batch.receivedAt = Timestamp(nanoseconds: receivedAt)
        made.rows.add(batch, sequence: 42, tenantID: tenantID)
        return made
    }

    @Test func aSpanBecomesARow() throws {
        var span = SpanFixture()
        span.parentSpanID = 3
        span.status = 2
        span.statusMessage = "boom"
        span.attributes = [
            NewPair(key: "http.route", value: .string("/users")), NewPair(key: "n", value: .int(-3)),
            NewPair(key: "session.id", value: .string("s1")), NewPair(key: "user.id", value: .int(12)),
        ]
        let rows = try Self.rows([span])
        let row = try #require(rows.spans.first)
        #expect(row.startTime == Self.start && row.clampedStart == 1_700_000_000_000_000)
        #expect(row.duration == 500_000_000 && !row.isClockSuspect)
        #expect(row.traceIDHigh == 0x0af7_6519_16cd_43dd && row.traceIDLow == 0x8448_eb21_1c80_319c)
        #expect(row.spanID == 0xb7ad_6b71_6920_3331 && row.parentSpanID == 3)
        #expect(row.sequence == 42 && row.place == 0 && row.tenantID == 7)
        #expect(row.kind == 2 && row.status == 2 && row.operation == .other)
        #expect(rows.text(row.service) == "shop" && rows.text(row.name) == "GET /users")
        #expect(rows.text(row.statusMessage) == "boom" && rows.text(row.traceState) == nil)
        #expect(rows.text(row.sessionID) == "s1" && rows.text(row.userID) == "12")
        #expect(rows.text(row.conversationID) == nil && rows.text(row.events) == nil)
        #expect(
            rows.text(row.attributes)
                == #"{"http.route":"/users","n":-3,"session.id":"s1","user.id":12}"#)
        #expect(rows.resources.map(\.attributes) == [#"{"service.name":"shop"}"#])
        #expect(rows.scopes.map(\.name) == ["io.shop.http"] && rows.scopes.map(\.version) == ["1.2.0"])
        #expect(row.resourceID == rows.resources[0].id && row.scopeID == rows.scopes[0].id)
    }

    @Test func everyKindOfValueIsWrittenAsJSON() throws {
        var span = SpanFixture()
        span.attributes = [
            NewPair(key: "a", value: .array([.int(1), .string("x\"y"), .bool(true)])),
            NewPair(key: "m", value: .kvlist([NewPair(key: "k", value: .double(1.5))])),
            NewPair(key: "b", value: .bytes([1, 2, 3])), NewPair(key: "nan", value: .double(.nan)),
            NewPair(key: "inf", value: .double(-.infinity)), NewPair(key: "one", value: .double(1)),
        ]
        let rows = try Self.rows([span])
        let json = try #require(rows.text(rows.spans[0].attributes))
        #expect(
            json
                == #"{"a":[1,"x\"y",true],"m":{"k":1.5},"b":"AQID","nan":"NaN","inf":"-Infinity","one":1.0}"#)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.utf8)) }
    }

    @Test func noTextHasANULAndNoIndexedOneIsTooLongForAnIndex() throws {
        var span = SpanFixture()
        span.name = "a\u{0}b" + String(repeating: "é", count: 4_000)
        span.statusMessage = "\u{0}"
        span.resource = [NewPair(key: "service.name", value: .string(String(repeating: "s", count: 7_000)))]
        span.attributes = [
            NewPair(key: "k\u{0}", value: .string("\u{0}v")), NewPair(key: "user.id", value: .string("")),
        ]
        let rows = try Self.rows([span])
        let row = rows.spans[0]
        let name = try #require(rows.text(row.name))
        // One byte of 512 would have been half a letter; U+FFFD takes two more than the NUL.
        #expect(name == "a\u{FFFD}b" + String(repeating: "é", count: 254) && name.utf8.count == 513)
        #expect(rows.text(row.service)?.utf8.count == 256)
        #expect(rows.text(row.statusMessage) == "\u{FFFD}" && rows.text(row.userID) == nil)
        #expect(rows.text(row.attributes) == "{\"k\u{FFFD}\":\"\u{FFFD}v\",\"user.id\":\"\"}")
    }

    static let farStarts: [(start: UInt64, clamped: Int64)] = [
        (0, 1_697_328_000_000_000), (1_697_327_999_999_999_999, 1_697_328_000_000_000),
        (1_697_328_000_000_000_000, 1_697_328_000_000_000), (4_070_908_800_000_000_000, 1_700_092_799_999_999),
        (.max, 1_700_092_799_999_999),
    ]

    @Test(arguments: farStarts)
    func aStartFarFromTheClockIsMovedToTheEdgeAndMarked(start: UInt64, clamped: Int64) throws {
        var span = SpanFixture()
        (span.startTime, span.endTime) = (start, start &+ 1)
        let row = try Self.rows([span]).spans[0]
        #expect(row.startTime == start && row.clampedStart == clamped)
        #expect(row.isClockSuspect == (start != 1_697_328_000_000_000_000))
    }

    @Test func theDayOfASpanDependsOnTheRecordAlone() throws {
        var span = SpanFixture()
        span.startTime = 5
        let days = try (0..<3).map { _ in try Self.rows([span]).spans[0].day }
        #expect(Set(days).count == 1 && days[0].text == "2023-10-15")
    }

    @Test func anEndBeforeTheStartIsKeptAndMarked() throws {
        var span = SpanFixture()
        span.endTime = span.startTime - 5
        let backwards = try Self.rows([span]).spans[0]
        #expect(backwards.duration == -5 && backwards.isClockSuspect)
        span.endTime = 0
        let open = try Self.rows([span]).spans[0]
        #expect(open.duration == nil && !open.isClockSuspect)
    }

    @Test func aServiceWithoutANameIsUnknown() throws {
        var span = SpanFixture()
        span.resource = [NewPair(key: "service.name", value: .int(3))]
        let rows = try Self.rows([span])
        #expect(rows.text(rows.spans[0].service) == "unknown_service")
    }

    @Test func aResourceIsThereOncePerTenantAndTheSameEverywhere() throws {
        let two = try Self.rows([SpanFixture(), SpanFixture()])
        #expect(two.spans.count == 2 && two.resources.count == 1 && two.scopes.count == 1)
        #expect(two.spans.map(\.place) == [0, 1])
        let other = try Self.rows([SpanFixture()], tenantID: 8)
        #expect(other.resources[0].id != two.resources[0].id)
        let again = try Self.rows([SpanFixture()])
        #expect(again.resources[0].id == two.resources[0].id)
    }

    @Test func aResourceWithoutSpansIsNotWritten() throws {
        let spans = (0..<3).map { number in
            var span = SpanFixture()
            span.resource = [NewPair(key: "service.name", value: .string("s\(number)"))]
            return span
        }
        let made = Made()
        var batch = try SpanFixture.batch(spans)
        for index in 1..<3 { batch.drop(span: index) }
        made.rows.add(batch, sequence: 42, tenantID: 7)
        #expect(made.spans.map(\.place) == [0] && made.resources.count == 1 && made.scopes.count == 1)
    }

    @Test func aCallOfAModelIsUsageAndWhatAnAgentSumsUpIsNot() throws {
        var call = SpanFixture()
        call.attributes = [
            NewPair(key: "gen_ai.operation.name", value: .string("chat")),
            NewPair(key: "gen_ai.provider.name", value: .string("openai")),
            NewPair(key: "gen_ai.request.model", value: .string("gpt-4o")),
            NewPair(key: "gen_ai.response.model", value: .string("gpt-4o-2024-08-06")),
            NewPair(key: "gen_ai.usage.input_tokens", value: .int(100)),
            NewPair(key: "gen_ai.usage.output_tokens", value: .string("20")),
            NewPair(key: "gen_ai.usage.cache_read.input_tokens", value: .double(40)),
            NewPair(key: "llm.cost.total", value: .double(0.000195)),
            NewPair(key: "gen_ai.response.time_to_first_chunk", value: .double(0.25)),
            NewPair(key: "gen_ai.agent.name", value: .string("triage")),
        ]
        var agent = call
        agent.attributes[0] = NewPair(key: "gen_ai.operation.name", value: .string("invoke_agent"))
        let rows = try Self.rows([agent, call])
        #expect(rows.spans.map(\.operation) == [.agent, .llm])
        let usage = try #require(rows.usage.first)
        #expect(rows.usage.count == 1 && usage.span == 1)
        #expect(usage.inputTokens == 100 && usage.outputTokens == 20 && usage.cacheReadTokens == 40)
        #expect(usage.cacheWriteTokens == nil && usage.totalCost == 195_000_000)
        #expect(usage.timeToFirstToken == 250_000_000)
        #expect(rows.text(usage.model) == "gpt-4o-2024-08-06")
        #expect(rows.text(usage.requestModel) == "gpt-4o" && rows.text(usage.provider) == "openai")
        #expect(rows.text(usage.agent) == "triage" && rows.text(usage.workflow) == nil)
    }

    private static func call(_ counts: (String, Int64)..., model: String = "m") -> SpanFixture {
        var call = SpanFixture(
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string(model)))
        call.attributes += counts.map { NewPair(key: "gen_ai.usage.\($0.0)", value: .int($0.1)) }
        return call
    }

    /// As Anthropic's API counts what its cache had, Google's what its model thought, and OpenTelemetry both.
    @Test func tokensAreOfOneMeaningHoweverTheSenderCounts() throws {
        let anthropic = Self.call(
            ("input_tokens", 100), ("output_tokens", 20), ("cache_read_input_tokens", 900),
            ("cache_creation_input_tokens", 50), model: "claude-sonnet-4")
        let gemini = Self.call(
            ("input_tokens", 100), ("output_tokens", 20), ("reasoning_tokens", 300), ("total_tokens", 420))
        let plain = Self.call(
            ("input_tokens", 1_050), ("output_tokens", 20), ("cache_read.input_tokens", 900),
            ("cache_write.input_tokens", 50))
        var library = Self.call(("input_tokens", 100), ("output_tokens", 20), ("cache_read.input_tokens", 90))
        (library.scopeName, library.scopeVersion) = ("@arizeai/openinference-instrumentation-anthropic", "0.1.5")
        let rows = try Self.rows([anthropic, gemini, plain, library, Self.call(("output_tokens", 7))])
        #expect(rows.usage.map(\.inputTokens) == [1_050, 100, 1_050, 190, nil])
        #expect(rows.usage.map(\.outputTokens) == [20, 320, 20, 20, 7])
        #expect(rows.usage.map(\.cacheReadTokens) == [900, nil, 900, 90, nil])
        #expect(rows.rows.costs.map(\.usage.inputTokens) == rows.usage.map(\.inputTokens))
        let rollups = rows.rollups(of: Array(rows.spans.indices)).values
        #expect(rollups.map(\.inputTokens).reduce(0, +) == 2_390)
        #expect(rollups.map(\.outputTokens).reduce(0, +) == 387)
    }

    @Test func countsThatContradictEachOtherAreNowhere() throws {
        let rows = try Self.rows([
            Self.call(("input_tokens", .max), ("output_tokens", 1)),
            Self.call(("input_tokens", 5), ("reasoning_tokens", 9)),
        ])
        #expect(rows.usage.map(\.inputTokens) == [nil, nil] && rows.usage.map(\.reasoningTokens) == [nil, nil])
        let rollups = rows.rollups(of: [0, 1]).values
        #expect(rollups.map(\.spans) == [2] && rollups.map(\.inputTokens) == [0])
        #expect(rows.text(rows.spans[0].attributes)?.contains("9223372036854775807") == true)
    }

    @Test func aParentOfZeroesIsNone() throws {
        let made = Made()
        let batch = try SpanFixture.batch([SpanFixture()])
        batch.arena.pointee.spans[0].state.insert(.hasParent)
        made.rows.add(batch, sequence: 1, tenantID: 7)
        #expect(made.spans.map(\.parentSpanID) == [nil])
    }

    @Test func whatTheCostProcessorFoundGoesBeforeWhatTheSenderSays() throws {
        var call = SpanFixture()
        call.attributes = [
            NewPair(key: "gen_ai.operation.name", value: .string("chat")),
            NewPair(key: "gen_ai.usage.cost", value: .double(2)),
        ]
        var priced = call
        priced.attributes.append(NewPair(key: "weir.cost.total", value: .string("0.000195")))
        // Who names no row of a list has no price of a list, whatever he calls it.
        let claimed = priced
        priced.attributes.append(NewPair(key: "weir.cost.price", value: .string("openai/gpt-4o")))
        let rows = try Self.rows([call, priced, claimed])
        #expect(rows.usage.map(\.totalCost) == [2_000_000_000_000, 195_000_000, 195_000_000])
        #expect(rows.usage.map(\.costSource) == [.provider, .table, .provider])
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1_000_000_000_000), ("0.000000000001", 1), ("9223372.036854775807", Int64.max), ("", nil),
            ("0.0000000000001", nil), ("9223372.036854775808", nil), ("-1", nil), ("1e3", nil), ("1.2.3", nil),
            ("99999999999999999999", nil),
        ] as [(String, Int64?)])
    func anAmountIsReadExactlyOrNotAtAll(text: String, amount: Int64?) {
        #expect(Array(text.utf8).withUnsafeBytes(GenAIAttributes.pico) == amount)
    }

    @Test func rollupsAddUpWhatSpansOfAMinuteHaveInCommon() throws {
        var quick = SpanFixture()
        var broken = SpanFixture()
        broken.status = 2
        broken.endTime = broken.startTime + 1_000
        var later = SpanFixture()
        later.startTime += 60_000_000_000
        later.endTime = later.startTime - 1
        quick.endTime = quick.startTime + 3_000
        var call = quick
        call.attributes = [
            NewPair(key: "gen_ai.operation.name", value: .string("chat")),
            NewPair(key: "gen_ai.request.model", value: .string("m")),
            NewPair(key: "gen_ai.usage.input_tokens", value: .int(5)),
        ]
        let rows = try Self.rows([quick, broken, later, call, call])
        let all = rows.rollups(of: Array(rows.spans.indices))
        #expect(all.count == 3)
        let first = try #require(all.first { $0.key.minute == 28_333_333 && $0.key.model == "" })
        #expect(first.key.service == "shop" && first.key.name == "GET /users" && first.key.tenantID == 7)
        #expect(first.value.spans == 2 && first.value.errors == 1 && first.value.duration == 4_000)
        #expect(first.value.durations.buckets.map(\.count).reduce(0, +) == 2)
        let calls = try #require(all.first { $0.key.model == "m" })
        #expect(calls.value.spans == 2 && calls.value.inputTokens == 10 && calls.value.unpriced == 2)
        let backwards = try #require(all.first { $0.key.minute == 28_333_334 })
        #expect(backwards.value.duration == 0)
        #expect(rows.rollups(of: [0, 4]).values.map(\.spans).reduce(0, +) == 2)
    }

    @Test func eventsAndLinksAreArraysOfObjects() throws {
        var trace = Trace()
        var span = Trace.Span()
        span.traceID = Array(repeating: 1, count: 16)
        span.spanID = Array(repeating: 2, count: 8)
        span.start = Self.start
        span.events = [Trace.Event(time: 9, name: Array("e".utf8))]
        var link = Trace.Link()
        link.traceID = Array(repeating: 3, count: 16)
        link.spanID = Array(repeating: 4, count: 8)
        link.flags = 1
        span.links = [link]
        trace.groups = [Trace.ResourceGroup(scopes: [Trace.ScopeGroup(spans: [span])])]
        var writer = TraceWriter()
        var batch = try Batch(decoding: writer.bytes(trace))
        batch.receivedAt = Timestamp(nanoseconds: Self.start)
        let rows = Made()
        rows.rows.add(batch, sequence: 1, tenantID: 1)
        #expect(rows.text(rows.spans[0].events) == #"[{"time_unix_nano":9,"name":"e"}]"#)
        #expect(
            rows.text(rows.spans[0].links)
                == #"[{"trace_id":"03030303030303030303030303030303","span_id":"0404040404040404","flags":1}]"#)
        rows.rows.reset()
        let count = rows.rows.textCount
        #expect(rows.spans.isEmpty && rows.resources.isEmpty && count == 0)
    }
}
