import Testing

@testable import Weir

@Suite struct RedactionProcessorTests {
    static let key = RedactionSample.key

    private func redacted(
        _ attributes: [(String, NewValue)], _ yaml: String = "", times: Int = 1
    ) throws -> [String] {
        try RedactionSample.redacted(attributes, yaml, times: times)
    }

    private func check(
        _ value: NewValue, _ expected: String, _ yaml: String = "", at location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try redacted([("a", value)], yaml) == ["a=\(expected)"], sourceLocation: location)
        // What is redacted stays as it is when it is redacted once more.
        #expect(try redacted([("a", value)], yaml, times: 2) == ["a=\(expected)"], sourceLocation: location)
    }

    @Test func masksWhatStandsInTexts() throws {
        try check(.string("ask bob@shop.io or 4111 1111 1111 1111"), #""ask [EMAIL] or [CREDIT_CARD]""#)
        try check(.string("nothing to see"), #""nothing to see""#)
        try check(.array([.string("bob@shop.io"), .int(5)]), #"["[EMAIL]", 5]"#)
        try check(
            .kvlist([NewPair(key: "deep", value: .array([.kvlist([NewPair(key: "x", value: .string("bob@shop.io"))])]))]
            ),
            #"{deep: [{x: "[EMAIL]"}]}"#)
        try check(.bytes(Array("bob@shop.io".utf8)), #""[EMAIL]""#)
        try check(.int(4_111_111_111_111_111), #""[CREDIT_CARD]""#)
        try check(.int(1_700_000_000_000_000_000), "1700000000000000000")
    }

    @Test func bytesThatAreNoTextGoWhereSomethingIsFoundInThem() throws {
        let mail = Array("bob@shop.io".utf8)
        for bytes in [
            [0xFF] + mail, mail + [0xC3], [0x80, 0x7B] + mail + [0xE2, 0x82],
            Array(#"{"card":4111111111111111,"x"#.utf8) + [0xFE],
        ] {
            try check(.bytes(bytes), #""[UNCHECKED]""#)
            try check(.array([.bytes(bytes), .int(5)]), #"["[UNCHECKED]", 5]"#)
            #expect(try redacted([("a", .bytes(bytes))], "dry_run: true").first == "a=bytes \(bytes)")
        }
        try check(.bytes([0xFF] + Array("K-1".utf8)), #""[UNCHECKED]""#, "rules: [ { name: c, pattern: 'K-\\d' } ]")
        #expect(try redacted([("a", .bytes([0xFF] + mail))], "detectors: { email: drop }") == [])
        // What is no letter is none of an address.
        for bytes in [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0xFF], [0x61, 0x40, 0xE9, 0x2E, 0xE9, 0xE9]] as [[UInt8]] {
            try check(.bytes(bytes), "bytes \(bytes)")
        }
    }

    @Test func masksLeavesOfJSONAndKeepsTheRest() throws {
        try check(.string(#"{ "mail":"bob@shop.io" ,"n": 1.50}"#), #""{ "mail":"[EMAIL]" ,"n": 1.50}""#)
        try check(.string(#"["a\nbob@shop.io\u0041"]"#), #""["a\n[EMAIL]"]""#)
        try check(.string(#"["bob\u0040shop.io \u00fc\ud83d\ude00"]"#), #""["[EMAIL] ü😀"]""#)
        try check(
            .string(#"{"a":"{\"b\":\"{\\\"c\\\":\\\"bob@shop.io\\\"}\"}"}"#),
            #""{"a":"{\"b\":\"{\\\"c\\\":\\\"[EMAIL]\\\"}\"}"}""#)
        try check(
            .string(#"{"card":4111111111111111,"t":1700000000123}"#), #""{"card":"[CREDIT_CARD]","t":1700000000123}""#)
        try check(.string(#"{"phone":6055550123}"#), #""{"phone":"[PHONE]"}""#)
        try check(.string(#"{"bob@shop.io":1}"#), #""{"[EMAIL]":1}""#)
        try check(.string(#"{"password":"x","list":[true,null]}"#), #""{"password":"[MASKED]","list":[true,null]}""#)
        // Cut off, as an attribute limit does.
        try check(
            .string(#"[{"role":"user","content":"I am bob\u0040shop.io and"#),
            #""[{"role":"user","content":"I am [EMAIL] and""#)
        // No JSON at all.
        try check(.string("{bob@shop.io}"), #""{[EMAIL]}""#)
    }

    @Test func findsASecretThatTwoPartsOfAMessageShare() throws {
        let text =
            #"[{"role":"user","parts":[{"type":"text","content":"my card is 4111 1111"},"#
            + #"{"type":"text","content":" 1111 1111, thanks"}]}]"#
        let expected =
            #"[{"role":"user","parts":[{"type":"text","content":"my card is [CREDIT_CARD]"},"#
            + #"{"type":"text","content":", thanks"}]}]"#
        try check(.string(text), "\"\(expected)\"")
    }

    @Test func masksWhatIsNestedTooDeep() throws {
        var text = "bob"
        for _ in 0..<10 {
            text = String(
                decoding: JSONCursor.quoted(
                    Array("[\(text.hasPrefix("[") || text.hasPrefix("\"") ? text : "\"\(text)\"")]".utf8)),
                as: UTF8.self)
        }
        let found = try redacted([("a", .string(text))])
        #expect(found.count == 1 && found[0].contains("[TOO_DEEP]"))
    }

    @Test func turnsIdsOfPeopleIntoTokens() throws {
        let once = try redacted([("user.id", .string("u-1")), ("enduser.id", .int(7)), ("session.id", .string("u-1"))])
        let token = once[0].replacing("user.id=\"", with: "").dropLast()
        #expect(token.hasPrefix("tok_id_") && token.count == 23)
        #expect(once[2] == "session.id=\"\(token)\"")
        #expect(once[1].hasPrefix("enduser.id=\"tok_id_"))
        #expect(try redacted([("user.id", .string("u-1"))], times: 2) == ["user.id=\"\(token)\""])
        #expect(try redacted([("user.id", .string("u-1"))], "epoch: '2'") != ["user.id=\"\(token)\""])
        #expect(
            try redacted([("trace_id", .string("943 476 5919")), ("gen_ai.response.id", .string("4111111111111111"))])
                == [#"trace_id="943 476 5919""#, #"gen_ai.response.id="4111111111111111""#])
    }

    @Test func everyTextOfASpanIsLookedThrough() throws {
        var span = SpanFixture(("b", .string("bob@shop.io")), ("tel 605-555-0123", .int(1)))
        span.resource = [NewPair(key: "r", value: .string("bob@shop.io"))]
        span.scopeName = "scope of bob@shop.io"
        span.scopeVersion = "bob@shop.io"
        span.name = "GET /u/bob@shop.io"
        span.status = 2
        span.statusMessage = "no mail for bob@shop.io"
        var batch = try SpanFixture.batch([span])
        var processor = try ProcessorFixture<RedactionProcessor>(Self.key).processor
        processor.process(&batch)
        var encoder = OTLPJSONEncoder()
        let text = String(decoding: encoder.bytes(of: batch), as: UTF8.self)
        #expect(!text.contains("shop.io") && !text.contains("555"))
        #expect(text.split(separator: "[EMAIL]").count == 7)
        var wire = OTLPEncoder()
        let payload = wire.encode(batch) ?? .empty
        #expect(!String(decoding: payload.bytes, as: UTF8.self).contains("shop.io"))
    }

    @Test func aSpanWithNothingInItKeepsItsBytes() throws {
        let span = SpanFixture(("http.route", .string("/users")), ("n", .int(-5)), ("list", .array([.string("a")])))
        var batch = try SpanFixture.batch([span])
        var processor = try ProcessorFixture<RedactionProcessor>(Self.key).processor
        processor.process(&batch)
        #expect(!batch.spans[0].state.contains(.dirty))
        var encoder = OTLPEncoder()
        let (payload, request) = (encoder.encode(batch) ?? .empty, SpanFixture.request([span]))
        #expect(Array(payload.bytes) == Array(request.bytes))
    }

    @Test func actionsAndRulesAreTheConfigurations() throws {
        let mail = NewValue.string("ask bob@shop.io")
        try check(mail, #""ask ***@shop.io""#, "detectors: { email: partial }")
        try check(mail, #""[EMAIL]""#, "detectors: { email: drop_value }")
        try check(mail, #""ask bob@shop.io""#, "detectors: { email: off }")
        try check(mail, #""ask bob@shop.io""#, "allow: ['*@shop.io']")
        try check(.string("bob@shop.io ann@other.io"), #""bob@shop.io [EMAIL]""#, "allow: ['*@shop.io']")
        let addresses = NewValue.string("84.12.7.200 84.13.7.200")
        try check(addresses, #""84.12.7.200 [IP_ADDRESS]""#, "allow: [84.12.0.0/16]")
        #expect(try redacted([("a", mail)], "detectors: { email: drop }") == [])
        let hashed = try redacted([("a", mail), ("b", .string("Bob@Shop.io"))], "detectors: { email: hash }")
        #expect(hashed[0].dropFirst(7) == hashed[1].dropFirst(3) && hashed[0].contains("ask tok_email_"))
        let wide = try redacted([("b", .string("ｂob＠shop.io"))], "detectors: { email: hash }")
        #expect(wide[0] == hashed[1])
        let cards = ["4111 1111 1111 1111", "4111%201111%201111%201111", "４１１１　１１１１　1111 1111"]
        let tokens = try cards.map { try RedactionSample.redacted($0, "detectors: { credit_card: hash }") }
        #expect(tokens[0].hasPrefix("tok_credit_card_") && Set(tokens).count == 1)
        try check(.string("bob＠shop.io"), #""***@shop.io""#, "detectors: { email: partial }")
        try check(.string("no K-123456!"), #""no [CUSTOMER]!""#, "rules: [ { name: customer, pattern: 'K-\\d+' } ]")
        try check(
            .string("no K-123456!"), #""no K-123456!""#, "rules: [ { name: c, pattern: 'K-\\d+', keywords: [client] } ]"
        )
        try check(
            .string("id 79927398713 79927398714"), #""id [L] 79927398714""#,
            "rules: [ { name: l, pattern: '\\d+', check: luhn, context: [ID] } ]")
        #expect(
            try redacted(
                [("a.b", .string("x")), ("a.c", .string("y"))],
                "keys: [ { key: 'a.b*', action: drop }, { key: a.c, action: mask } ]") == [#"a.c="[MASKED]""#])
        #expect(
            try redacted(
                [("a", .string(#"{"b":{"c":"x","d":"y"}}"#))],
                "keys: [ { key: a.b.c, action: mask }, { key: '.b.c', action: mask } ]") == [
                    #"a="{"b":{"c":"[MASKED]","d":"y"}}""#
                ])
    }

    @Test func contentBecomesATokenOrGoes() throws {
        let attributes: [(String, NewValue)] = [
            ("gen_ai.input.messages", .string("hello")), ("llm.input_messages.0.message.content", .string("hi")),
            ("llm.input_messages.0.message.role", .string("user")), ("gen_ai.request.model", .string("m")),
        ]
        let kept = [#"llm.input_messages.0.message.role="user""#, #"gen_ai.request.model="m""#]
        #expect(try redacted(attributes, "content: drop") == kept)
        let hashed = try redacted(attributes, "content: hash")
        #expect(hashed.count == 4 && hashed[0].hasPrefix("gen_ai.input.messages=\"tok_content_"))
        #expect(try redacted(attributes).count == 4)
    }

    @Test func dryRunMarksAndChangesNothing() throws {
        #expect(
            try redacted([("a", .string("bob@shop.io"))], "dry_run: true")
                == [#"a="bob@shop.io""#, "redaction.count=1", #"redaction.types=["email"]"#])
        #expect(
            try redacted([("a", .string("bob@shop.io"))], "summary: info") == [#"a="[EMAIL]""#, "redaction.count=1"])
    }

    @Test func aSpanIsToldOfItsOwnFindingsOnly() throws {
        var processor = try ProcessorFixture<RedactionProcessor>("\(Self.key)\nsummary: debug").processor
        var other = SpanFixture()
        other.resource = [NewPair(key: "r", value: .string("pay 4111 1111 1111 1111"))]
        var batch = try SpanFixture.batch([other])
        processor.process(&batch)
        #expect(try batch.attributesAfterExport(of: .span(0)) == [])
        batch = try SpanFixture.batch([SpanFixture(("a", .string("bob@shop.io")))])
        processor.process(&batch)
        #expect(
            try batch.attributesAfterExport(of: .span(0))
                == [#"a="[EMAIL]""#, "redaction.count=1", #"redaction.types=["email"]"#])
        // What is masked unseen counts as well.
        let deep = String(repeating: "[", count: 250)
        #expect(
            try redacted([("a", .string(deep + "1"))], "summary: debug").suffix(2)
                == ["redaction.count=1", #"redaction.types=["limit"]"#])
    }

    @Test(arguments: ["mask", "partial", "hash", "drop_value"])
    func whatWasReplacedIsNotReplacedAgain(_ action: String) throws {
        let detectors = Detector.allCases.map { "\($0.name): \(action)" }.joined(separator: ", ")
        for text in [
            "postgres://bob:s3cr3t@db.shop.com/x?key=abcdef", "ask bob@shop.io", "pay 4111 1111 1111 1111",
            "+44 20 7946 0958", "from 84.12.7.200", "password=x8Kd93mQpL", "DE89370400440532013000",
            "Authorization: ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g", "cookie: sid=4x0AXeQ9f2; theme=dark",
        ] {
            let once = try RedactionSample.redacted(text, "detectors: { \(detectors) }")
            #expect(once != text)
            #expect(try RedactionSample.redacted(text, "detectors: { \(detectors) }", times: 2) == once)
        }
        let url = try RedactionSample.redacted(
            "postgres://bob:s3cr3t@db.shop.com", "detectors: { url_credentials: hash }")
        let alone = try RedactionSample.redacted("x?key=s3cr3t", "detectors: { url_credentials: hash }")
        // The token is of the password, not of a token of it.
        #expect(url.contains(alone.dropFirst(6)))
    }

    @Test func aHashIsNotLookedThroughForMore() throws {
        let found = try RedactionSample.redacted(
            "1234 and 5678", "preset: none\nblocked_values: ['[0-9]{4}']\nhash_function: md5")
        #expect(found == "81dc9bdb52d04dc20036dbd8313ed055 and 674f3c2c1a8a6f90461e8a66fb5550ba")
    }

    @Test func allTypesAreLookedAtOnlyWhenAsked() throws {
        let attributes: [(String, NewValue)] = [("a", .int(4242)), ("b", .double(4242.5)), ("c", .bool(true))]
        let rule = "preset: none\nblocked_values: ['4242']"
        #expect(try redacted(attributes, rule) == ["a=4242", "b=4242.5", "c=true"])
        #expect(
            try redacted(attributes, rule + "\nredact_all_types: true") == [#"a="****""#, #"b="****.5""#, "c=true"])
        #expect(try RedactionSample.redacted(#"{"a":4242}"#, rule + "\nredact_all_types: true") == #"{"a":"****"}"#)
    }

    @Test func ofATraceStateOnlyTheSamplersMemberIsExempt() throws {
        var span = SpanFixture()
        span.traceState = "ot=th:c;rv:41111111111111,ip=8.8.8.8,tel=+16055550123"
        let batch = try RedactionSample.redacted(span)
        let state = String(decoding: batch.bytes(batch.ref(of: .traceState(0))), as: UTF8.self)
        #expect(state == "ot=th:c;rv:41111111111111,ip=[IP_ADDRESS],tel=[PHONE]")
    }

    @Test func countsWithoutSayingWhat() throws {
        let fixture = try ProcessorFixture<RedactionProcessor>(Self.key)
        var processor = fixture.processor
        var batch = try SpanFixture.batch([SpanFixture(("a", .string("bob@shop.io")), ("user.id", .string("u")))])
        processor.process(&batch)
        let text = fixture.metrics.render()
        #expect(
            text.contains(
                #"weir_redaction_findings{action="mask",detector="email",redaction="redaction/test",tenant="default"} 1"#
            ))
        #expect(text.contains(#"action="hash",detector="key""#))
        #expect(!text.contains("bob"))
    }

    @Test func aPatternThatRunsAwayMasksTheValue() throws {
        let text = String(repeating: "b", count: 40_000)
        try check(.string(text + "!"), #""[UNCHECKED]""#, "rules: [ { name: r, pattern: '(b|bb)+$' } ]")
        let long = String(repeating: "x ", count: 600_000)
        try check(.string(long), #""[UNCHECKED]""#, "rules: [ { name: r, pattern: 'never' } ]")
    }

    @Test func readsTheCollectorsKeys() throws {
        let attributes: [(String, NewValue)] = [
            ("a", .string("x-1 y")), ("b", .string("bob@shop.io")), ("c", .string("z")),
        ]
        #expect(try redacted(attributes, "allowed_keys: [a]\nblocked_values: ['x-\\d']") == [#"a="**** y""#])
        #expect(try redacted(attributes, "allow_all_keys: false") == [])
        #expect(
            try redacted(attributes, "ignored_keys: [b]\nblocked_key_patterns: ['^c$']")
                == [#"a="x-1 y""#, #"b="bob@shop.io""#, #"c="****""#])
        #expect(try redacted(attributes, "blocked_values: ['x-\\d']\nallowed_values: ['^x-1$']")[0] == #"a="x-1 y""#)
        #expect(
            try redacted([("c", .string("z"))], "blocked_key_patterns: [c]\nhash_function: md5")
                == [#"c="fbade9e36a3f36d3d676c1b808451dd7""#])
        #expect(ProcessorFixture<RedactionProcessor>.problems("key: short\nhash_function: hmac-sha256").count == 2)
    }

    @Test func saysWhatIsWrong() {
        #expect(ProcessorFixture<RedactionProcessor>.problems("preset: all\ndetectors: { mail: on }").count == 2)
        #expect(ProcessorFixture<RedactionProcessor>.problems("allow: [10.0.0.0/33]").count == 1)
        #expect(ProcessorFixture<RedactionProcessor>.problems("rules: [ { name: 'a b', pattern: '(' } ]").count == 2)
        let missing = ProcessorFixture<RedactionProcessor>.problems("rules: [ { name: a } ]")
        #expect(missing.count == 1 && missing[0].contains("rules[0].pattern: is missing"))
    }
}
