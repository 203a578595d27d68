import Testing

@testable import Weir

@Suite struct BeaconTranslationTests {
    private let now = BeaconSample.now.nanoseconds

    private func malformed(_ body: String, _ reason: String, at place: SourceLocation = #_sourceLocation) throws {
        let sample = try BeaconSample()
        do {
            _ = try sample.translate(body)
            Issue.record("it was taken", sourceLocation: place)
        } catch Intake.Failure.undecodable(.malformed(let what, _)) {
            #expect(what == reason, sourceLocation: place)
        }
    }

    @Test func anEventBecomesASpan() throws {
        let (spans, tally, isNamed) = try BeaconSample().translate(
            #"""
            { "session": "s1", "rate": 0.25, "resource": { "service.name": "shop-web", "host.name": "h" },
              "events": [ { "name": "detail_panel.view", "time": 1763729999000.5, "duration": 12.5,
                "id": "eee19b7ec3c1b174", "trace": "5b8efff798038103d269b633813fc60c", "parent": "00f067aa0ba902b7",
                "kind": "client", "error": "timeout",
                "attributes": { "app.node": "n-\u00e9", "app.count": 3, "app.share": 0.5, "app.new": true } } ] }
            """#)
        let span = BeaconSample.Span(
            name: "detail_panel.view", traceID: "5b8efff798038103d269b633813fc60c", spanID: "eee19b7ec3c1b174",
            parentSpanID: "00f067aa0ba902b7", kind: 3, status: 2, start: 1_763_729_999_000_500_000,
            end: 1_763_729_999_013_000_000,
            attributes: [
                "app.node": "\"n-é\"", "app.count": "3", "app.share": "0.5", "app.new": "true", "session.id": "\"s1\"",
                "browser.origin": "\"https://app.example.com\"", "error.type": "\"timeout\"",
                "weir.sampling.adjusted_count": "4.0",
            ])
        #expect(spans == [span])
        #expect(isNamed)
        #expect(tally == BeaconTally(taken: 1, strippedAttributes: 1), "a page does not name hosts")
    }

    @Test func whatAnEventLacksIsDrawn() throws {
        let (spans, _, isNamed) = try BeaconSample().translate(#"{"events":[{"name":"a"},{"name":"a"}]}"#, origin: "")
        #expect(spans.map(\.start) == [now, now] && spans.map(\.end) == [now, now])
        #expect(Set(spans.map(\.spanID)).count == 2 && Set(spans.map(\.traceID)).count == 2)
        #expect(spans.allSatisfy { $0.attributes.isEmpty && $0.parentSpanID == nil && $0.kind == 1 && $0.status == 0 })
        #expect(!isNamed, "two such requests are two requests")
    }

    @Test(arguments: [
        (1_763_730_000_000.0 - 3_600_000, 3_600_000), (1_763_730_000_000.0 + 90_000, -90_000),
        (1_763_730_000_000.0 - 1_000, nil),
    ])
    func aWrongClockIsCorrected(sent: Double, skew: Int64?) throws {
        let event = #"{"name":"a","time":\#(Int64(sent) - 250),"duration":100}"#
        let moved = try BeaconSample().translate(#"{"events":[\#(event)]}"#, sentAt: sent).spans[0]
        let wanted = skew == nil ? UInt64(sent - 250) * 1_000_000 : now - 250_000_000
        #expect(moved.start == wanted && moved.end == wanted + 100_000_000)
        #expect(moved.attributes["browser.clock_skew_ms"] == skew.map { "\($0)" })

        let span =
            #"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"b","#
            + #""startTimeUnixNano":"\#(Int64(sent) - 250)000000","endTimeUnixNano":\#(Int64(sent) - 150)000000}"#
        let otlp = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span)]}]}]}"#
        let other = try BeaconSample().translate(otlp, sentAt: sent)
        #expect(other.spans[0].start == wanted && other.spans[0].end == wanted + 100_000_000)
        #expect(other.isNamed)
    }

    @Test func whatAPageMayNotSayIsTakenAway() throws {
        let attributes = [
            "gen_ai.usage.input_tokens", "GEN_AI.usage.input_tokens", "llm.model_name", "weir.cost.total",
            "weir.tenant",
            "langsmith.trace.name", "ai.usage.tokens",
        ]
        let members = attributes.map { #""\#($0)":1"# }.joined(separator: ",")
        let pairs = attributes.map { #"{"key":"\#($0)","value":{"intValue":1}}"# }.joined(separator: ",")
        for body in [
            #"{"events":[{"name":"a","attributes":{\#(members)}}]}"#,
            #"{"resourceSpans":[{"resource":{"attributes":[\#(pairs)]},"scopeSpans":[{"scope":{"attributes":[\#(pairs)]},"#
                + #""spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a","#
                + #""attributes":[\#(pairs)],"events":[{"name":"e","attributes":[\#(pairs)]}],"#
                + #""links":[{"attributes":[\#(pairs)]}],"status":{"code":2,"message":"secret"}}]}]}]}"#,
        ] {
            let (spans, tally, _) = try BeaconSample("allowed_attributes: ['*']").translate(body, origin: "")
            #expect(spans.map(\.attributes) == [[:]])
            #expect(tally.strippedAttributes >= attributes.count)
        }
    }

    @Test func aSpanIsNotCalledWhatNobodyLookedAt() throws {
        let sample = try BeaconSample(
            "on_violation: reject", registry: "{ events: [ { name: panel.view, owner: graph-team } ] }")
        let span = #"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"panel.view""#
        let (spans, tally, _) = try sample.translate(
            #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span),"name":"anything"}]}]}]}"#, origin: "")
        #expect(spans.map(\.name) == ["panel.view"] && tally.taken == 1)
    }

    @Test(arguments: [("ot=th:c", true), ("a=b", true), ("ot=th:ffffffffffffff", false), ("ot=th:ffc", false)])
    func aSpanCountsForNoMoreThanAPageMaySay(state: String, isKept: Bool) throws {
        let span = #"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a""#
        let body = #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span),"traceState":"\#(state)"}]}]}]}"#
        #expect(try BeaconSample().state(of: body) == (isKept ? state : ""))
    }

    @Test func anAttributeIsSmallAndFlat() throws {
        let long = String(repeating: "x", count: 1_025)
        let many = (0..<100).map { #""app.\#($0)":1"# }.joined(separator: ",")
        let (spans, tally, _) = try BeaconSample().translate(
            #"{"events":[{"name":"a","attributes":{"app.a":"\#(long)","app.b":[1],"app.c":{"d":1},"app.d":null}},"#
                + #"{"name":"b","attributes":{\#(many)}}]}"#, origin: "")
        #expect(spans[0].attributes == [:])
        #expect(spans[1].attributes.count == 64)
        #expect(tally.strippedAttributes == 1 + 36)
    }

    @Test func aBadEventIsRefusedAlone() throws {
        let (spans, tally, _) = try BeaconSample().translate(
            #"{"events":[{"name":""},{"time":1},{"name":"a","time":-1},{"name":"a","time":"x"},{"name":"b"},7]}"#)
        #expect(spans.map(\.name) == ["b"])
        #expect(tally.refused == [.malformed: 5])
    }

    @Test func aRequestOfWhichNothingIsLeftIsRefused() throws {
        try malformed("", "found no JSON object, wanted events or OTLP/JSON")
        try malformed("[]", "found no JSON object, wanted events or OTLP/JSON")
        try malformed(#"{"events":["#, "found no JSON object, wanted events or OTLP/JSON")
        try malformed("{}", "found neither events nor resourceSpans, wanted one of them")
        try malformed(#"{"events":[{}]}"#, "found an event without a name of 1...128 bytes")
        let events = Array(repeating: #"{"name":"a"}"#, count: 1_001).joined(separator: ",")
        try malformed(#"{"events":[\#(events)]}"#, "found 1001 events, wanted 1000 at most")
        for envelope in [
            #""rate":0"#, #""rate":2"#, #""rate":1e-9"#, #""session":"\#(String(repeating: "s", count: 129))""#,
        ] {
            try malformed(
                #"{\#(envelope),"events":[{"name":"a"}]}"#,
                "found a session of more than 128 bytes or a rate outside 0.001...1, wanted less")
        }
        try malformed(
            String(repeating: #"{"events":["#, count: 500), "found no JSON object, wanted events or OTLP/JSON")
    }

    @Test func whatAnOTLPRequestHasOfEachIsBounded() throws {
        let many = Array(repeating: "{}", count: 1_001).joined(separator: ",")
        for (body, what) in [
            (#"{"resourceSpans":[\#(many)]}"#, "resources"),
            (#"{"resourceSpans":[{"scopeSpans":[{}]},{"scopeSpans":[\#(many)]}]}"#, "scopes"),
            (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{}]},{"spans":[\#(many)]}]}]}"#, "spans"),
            (#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"events":[{}]},{"events":[\#(many)]}]}]}]}"#, "span events"),
        ] {
            try malformed(body, "found \(what == "resources" ? 1_001 : 1_002) \(what), wanted 1000 at most")
        }
    }

    @Test func whatTheDecoderLeavesOutIsNotTaken() throws {
        var tally = try BeaconSample().translate(#"{"events":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#).tally
        var rejections = Rejections()
        tally.reject(rejections)
        #expect(tally == BeaconTally(taken: 3))
        rejections.add(.traceID, spans: 2)
        tally.reject(rejections)
        #expect(tally.taken == 1 && tally.refused == [.malformed: 2] && tally.example == rejections.message)
    }
}
