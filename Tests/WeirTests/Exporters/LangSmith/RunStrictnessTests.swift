import Testing

@testable import Weir

/// What a strict reader refuses, and what a run may not have.
@Suite struct RunStrictnessTests {
    @Test(arguments: [
        [("langsmith.metadata.x", "1"), ("x", "2")], [("ai.telemetry.metadata.a", "1"), ("langsmith.metadata.a", "2")],
        [("traceloop.association.properties.x", "1"), ("langsmith.metadata.x", "2")],
        [("langsmith.metadata.service.name", "1")], [("service.name", "1")], [("otel_scope_name", "1")],
        [("langsmith.metadata.otel_scope_name", "1")], [("OTEL_TRACE_ID", "1")], [("metadata", #"{"a":1,"\u0061":2}"#)],
        [("langsmith.metadata.OTEL_SPAN_ID", "1")], [("metadata", #"{"OTEL_\u0053PAN_ID":1}"#)],
        [("metadata", #"{"thread_id":"1"}"#), ("session.id", "2")], [("same", "1"), ("same", "2")],
        [("llm.invocation_parameters", #"{"tools":[1]}"#), ("llm.tools.0.tool.json_schema", "{}")],
        [("input.value", #"{"a":1,"b":{"c":1,"c":2},"a":2}"#)],
        [("output.value", #"{"usage_metadata":1,"usage_metadata":2}"#)],
        [("input.value", "a\0b")], [("input.value", #"{"a":"x\u0000"}"#)], [("langsmith.trace.session_name", "a\0b")],
        [("weir_trimmed_fields", "no"), ("langsmith.span.tags", String(repeating: "x", count: 300))],
    ])
    func noNameIsThereTwiceAndNoTextHasANUL(attributes: [(String, String)]) throws {
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: .string($0.1)) }
        span.events = [("e", [NewPair(key: "k", value: .int(1)), NewPair(key: "k", value: .int(2))])]
        let run = try RunSample(span)
        #expect(run.isStrict, "\(run.main) \(run.text("inputs")) \(run.text("extra"))")
        #expect(run.metadata("OTEL_SPAN_ID") == #""b7ad6b7169203331""#)
    }

    @Test func manyNamesAreToldApartToo() throws {
        let names = (0..<200).map { "\"k\($0 % 150)\":\($0)" } + [#""\u006b1":0"#]
        let run = try RunSample(SpanFixture(("input.value", .string("{\(names.joined(separator: ","))}"))))
        #expect(run.isStrict)
        #expect(run.text("inputs").hasPrefix(#"{"k0":0,"k1":1,"#) && run.text("inputs").hasSuffix(#""k149":149}"#))
    }

    @Test func whatTheSenderSaysOfTheRunGoesBeforeItsAttributesAndTheseBeforeTheResource() throws {
        let run = try RunSample(
            SpanFixture(
                ("x", .string("attribute")), ("langsmith.metadata.x", .string("own")),
                ("service.name", .string("of the span"))))
        #expect(run.metadata("x") == #""own""#)
        #expect(run.metadata("service.name") == #""of the span""#)
    }

    @Test(arguments: [
        "request_data", "response_data", "embedding.text", "gen_ai.tool.definitions", "gen_ai.tool.description",
        "llm.tools.0.tool.json_schema", "ai.prompt.tools", "llm.invocation_parameters",
    ])
    func whatIsHiddenIsNowhere(key: String) throws {
        let value = key == "llm.invocation_parameters" ? #"{"messages":["secret"],"temperature":0.5}"# : #"["secret"]"#
        var span = SpanFixture(("gen_ai.operation.name", .string("chat")), (key, .string(value)))
        span.events = [("llm.content.completion.chunk", [NewPair(key: "llm.content", value: .string("secret"))])]
        #expect(try RunSample(span).text("extra").contains("secret"))
        let run = try RunSample(span, hidesInputs: true, hidesOutputs: true)
        #expect(!run.text("extra").contains("secret") && !run.text("events").contains("secret"))
        if key == "llm.invocation_parameters" { #expect(run.parameter("temperature") == "0.5") }
    }

    @Test func countsThatAreNoneDoNotHideTheOthers() throws {
        for (said, kept) in [(#""junk""#, false), ("{}", false), (#"{"input_tokens":9}"#, true)] {
            let run = try RunSample(
                SpanFixture(
                    ("gen_ai.operation.name", .string("chat")), ("gen_ai.usage.input_tokens", .int(3)),
                    ("output.value", .string("{\"usage_metadata\":\(said),\"x\":1}"))))
            #expect(run.text("outputs").contains(#""input_tokens":9"#) == kept)
            #expect(run.text("outputs").contains(#""input_tokens":3"#) == !kept)
        }
    }

    @Test func documentsThatAreNoListAreOne() throws {
        let run = try RunSample(
            SpanFixture(
                ("gen_ai.operation.name", .string("retrieval")), ("gen_ai.retrieval.documents", .string("all of it"))))
        #expect(
            run.text("outputs") == #"{"documents":[{"page_content":"all of it","metadata":{},"type":"Document"}]}"#)
    }

    @Test func theSendersProjectIDExampleAndRuntimeHaveTheirPlaces() throws {
        let id = "5f0c8a3e-6a0f-4a5e-9d3b-0c1d2e3f4a5b"
        let run = try RunSample(
            SpanFixture(
                ("langsmith.trace.session_id", .string(id)), ("langsmith.reference_example_id", .string(id)),
                ("langsmith.span.runtime", .string(#"{"sdk":"x"}"#))))
        #expect(run.member("session_id") == "\"\(id)\"" && run.member("session_name") == nil)
        #expect(run.member("reference_example_id") == "\"\(id)\"")
        #expect(run.metadata("thread_id") == nil)
        #expect(run.text("extra").hasSuffix(#","runtime":{"sdk":"x"}}"#))
        #expect(try RunSample(SpanFixture(("langsmith.trace.session_id", .string("no")))).member("session_id") == nil)
        let other = try RunSample(SpanFixture(("langsmith.reference_example_id", .string("no"))))
        #expect(other.member("reference_example_id") == nil)
    }
}

// MARK: - Resource and scope

extension RunStrictnessTests {
    private static let childPlace = RunPlace(
        path: [.init(id: RunID(high: 1, low: 1), start: 1), .init(id: RunID(high: 0, low: 2), start: 2)])

    @Test func aLargeResourceIsNotAllOnEachRoot() throws {
        var span = SpanFixture()
        let large = NewPair(key: "large", value: .string(String(repeating: "l", count: 20_000)))
        let small = (1..<1_000).map { NewPair(key: "k\($0)", value: .int(1)) }
        span.resource = [large] + small + span.resource
        let run = try RunSample(span)
        #expect(run.isStrict && run.size < RunSurroundings.maxBytes)
        #expect(run.metadata("large") == nil && run.metadata("k256") == nil)
        #expect(run.metadata("k1") == "1" && run.metadata("k255") == "1")
        #expect(run.metadata("service.name") == #""shop""# && run.metadata("otel_scope_name") == #""io.shop.http""#)
        #expect(run.metadata("weir_trimmed_fields") == #"["resource"]"#)
        let child = try RunSample(span, at: Self.childPlace)
        #expect(child.metadata("service.name") == #""shop""# && child.metadata("k1") == nil)
        #expect(child.metadata("weir_trimmed_fields") == nil, "it never has more")
        // Not too many, but too long.
        span.resource = (0..<200).map { NewPair(key: "k\($0)", value: .string(String(repeating: "v", count: 1_000))) }
        let long = try RunSample(span)
        #expect(long.metadata("k0") != nil && long.metadata("k15") != nil && long.metadata("k16") == nil)
        #expect(long.size < 2 * RunSurroundings.maxBytes)
        #expect(long.metadata("weir_trimmed_fields") == #"["resource"]"#)
    }

    @Test func aLongServiceOrScopeIsLeftOutAndTheRunSaysSoHoweverItIsTrimmed() throws {
        var span = SpanFixture()
        let most = String(repeating: "n", count: RunSurroundings.maxBytes)
        span.resource = [NewPair(key: "service.name", value: .string(most))]
        let whole = try RunSample(span, at: Self.childPlace)
        #expect(whole.metadata("service.name") == "\"\(most)\"" && whole.metadata("otel_scope_name") == nil)
        #expect(whole.metadata("weir_trimmed_fields") == #"["otel_scope_name"]"#)
        span.resource = [NewPair(key: "service.name", value: .string(most + "n"))]
        let none = try RunSample(span, at: Self.childPlace)
        #expect(none.metadata("service.name") == nil && none.metadata("otel_scope_name") == #""io.shop.http""#)
        #expect(none.metadata("weir_trimmed_fields") == #"["resource"]"#)
        span.scopeName = most + "n"
        span.attributes = [NewPair(key: "input.value", value: .string(String(repeating: "i", count: 300_000)))]
        let run = try RunSample(span, limit: Self.limit)
        #expect(run.isStrict && run.size <= Self.limit)
        #expect(run.metadata("weir_trimmed_fields") == #"["resource","otel_scope_name","inputs"]"#)
    }
}

// MARK: - Runs that are too large

extension RunStrictnessTests {
    private static let limit = 100_000

    private func trimmed(_ pairs: (String, NewValue)...) throws -> RunSample {
        let fixed: [(String, NewValue)] = [
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("m")),
            ("gen_ai.usage.input_tokens", .int(3)), ("user.id", .string("u")), ("session.id", .string("s")),
        ]
        var span = SpanFixture()
        span.attributes = (fixed + pairs).map { NewPair(key: $0.0, value: $0.1) }
        let run = try RunSample(span, limit: Self.limit)
        #expect(run.size <= Self.limit && run.isStrict)
        return run
    }

    @Test func oneLargeAttributeTakesNothingElseWithIt() throws {
        let run = try trimmed(("custom.blob", .string(String(repeating: "b", count: 300_000))))
        for (key, value) in [("ls_model_name", "m"), ("user_id", "u"), ("thread_id", "s")] as [(StaticString, String)] {
            #expect(run.metadata(key) == "\"\(value)\"")
        }
        #expect(run.metadata("custom.blob")?.hasPrefix(#"{"weir_trimmed":{"bytes":3000"#) == true)
        #expect(run.metadata("weir_trimmed_fields") == #"["extra"]"#)
        #expect(run.metadata("OTEL_TRACE_ID") != nil)
    }

    @Test func manyMiddlingAttributesLeaveThoseThatAreSmall() throws {
        var span = SpanFixture(("user.id", .string("u")))
        span.attributes += (0..<1_000).map {
            NewPair(key: "custom.\($0)", value: .string(String(repeating: "b", count: 400)))
        }
        let run = try RunSample(span, limit: Self.limit)
        #expect(run.size <= Self.limit && run.isStrict)
        #expect(run.metadata("user_id") == #""u""#)
    }

    @Test func largeToolsAreTrimmedAndTheModelStays() throws {
        let run = try trimmed(("gen_ai.tool.definitions", .string(String(repeating: "t", count: 300_000))))
        #expect(run.metadata("ls_model_name") == #""m""#)
        #expect(run.metadata("weir_trimmed_fields") == #"["extra"]"#)
    }

    @Test func tagsAndTheProjectAreCutInTheHead() throws {
        let run = try trimmed(
            ("langsmith.span.tags", .string("ok," + String(repeating: "t", count: 300_000))),
            ("langsmith.trace.session_name", .string(String(repeating: "p", count: 300_000))),
            ("input.value", .string(String(repeating: "i", count: 300_000))))
        #expect(run.main.utf8.count < 2_000)
        #expect(run.member("session_name") == "\"\(String(repeating: "p", count: 512))\"")
        let said = try #require(run.metadata("weir_trimmed_fields"))
        #expect(said.hasPrefix(#"["tags","#) && said.contains(#""inputs""#))
    }
}
