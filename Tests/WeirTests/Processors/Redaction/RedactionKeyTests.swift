import Testing

@testable import Weir

/// What keys, names of members and the way to them decide.
@Suite struct RedactionKeyTests {
    private func check(
        _ key: String, _ value: NewValue, _ expected: String, _ yaml: String = "",
        at location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(
            try RedactionSample.redacted([(key, value)], yaml) == ["\(key)=\(expected)"], sourceLocation: location)
    }

    private static let other = "keys: [ { key: zzz, action: drop } ]"

    @Test(arguments: ["", other])
    func aRuleAboutOneKeySaysNothingOfTheOthers(_ rules: String) throws {
        try check(
            "a", .string(#"{"diagnosis":"flu"}"#), #""{"diagnosis":"****"}""#,
            "blocked_key_patterns: ['^diagnosis$']\n\(rules)")
        let card = NewValue.kvlist([NewPair(key: "card", value: .string("4111 1111 1111 1111"))])
        try check("service.x", card, #"{card: "[CREDIT_CARD]"}"#, rules)
        let found = try RedactionSample.redacted([("a", .string(#"{"user":{"id":"u"}}"#))], rules)
        #expect(found[0].hasPrefix(#"a="{"user":{"id":"tok_id_"#))
    }

    @Test func rulesSeeTheWholeWayAndTheWayBelowTheAttribute() throws {
        let rule = "keys: [ { key: 'app.payload.card', action: mask } ]"
        let text = NewValue.string(#"{"card":"x","b":{"card":"y"}}"#)
        try check("app.payload", text, #""{"card":"[MASKED]","b":{"card":"y"}}""#, rule)
        try check("app.other", text, #""{"card":"x","b":{"card":"y"}}""#, rule)
        try check(
            "app.other", text, #""{"card":"x","b":{"card":"[MASKED]"}}""#,
            "keys: [ { key: '.b.card', action: mask } ]")
        let nested = NewValue.string(#"{"args":"{\"card\":\"x\"}"}"#)
        try check(
            "p", nested, #""{"args":"{\"card\":\"[MASKED]\"}"}""#, "keys: [ { key: p.args.card, action: mask } ]")
        let list = NewValue.kvlist([NewPair(key: "b", value: .string(#"{"c":"x"}"#))])
        try check("p", list, #"{b: "{"c":"[MASKED]"}"}"#, "keys: [ { key: p.b.c, action: mask } ]")
    }

    /// To read the name for each member below it would take time in proportion to the square of the text.
    @Test(arguments: ["", other])
    func whatStandsBelowAVeryLongNameIsMasked(_ rules: String) throws {
        func text(_ count: Int, _ members: String) -> String {
            #"{"\#(String(repeating: "x", count: count))":{\#(members)},"n":"v"}"#
        }
        let members = #""b":[1,"y"],"c":true"#
        #expect(try RedactionSample.redacted(text(4000, members), rules) == text(4000, members))
        let masked = #""b":["[MASKED]","[MASKED]"],"c":true"#
        #expect(try RedactionSample.redacted(text(5000, members), rules) == text(5000, masked))
        // Many decisions about long names are worth more than as many about short ones.
        let many = (0..<5000).map { "\"m\($0)\":\"v\"" }.joined(separator: ",")
        let found = try RedactionSample.redacted(text(4000, many), rules)
        #expect(found.contains(#""m0":"v""#) && found.contains(#""m4999":"[MASKED]""#))
        #expect(try RedactionSample.redacted(text(40, many), rules) == text(40, many))
    }

    @Test func manyShortNamesOnTheWayAreRead() throws {
        let open = (0..<150).map { "{\"\(String(repeating: "x", count: 30))\($0)\":" }.joined()
        let close = String(repeating: "}", count: 150)
        let text = #"\#(open){"user":{"phone":"6055550123"}}\#(close)"#
        #expect(try RedactionSample.redacted(text) == text.replacing("6055550123", with: "[PHONE]"))
        // With the whole of the way, a rule could be about each of them.
        #expect(try RedactionSample.redacted(text, Self.other) == text.replacing("6055550123", with: "[MASKED]"))
    }

    @Test func ownRulesFindWhatStandsInAnyKey() throws {
        let keys: [(String, NewValue)] = [
            ("maria", .int(1)), ("ask maria now", .int(2)), ("k", .int(3)), ("other", .int(4)),
            ("a", .string(#"{"k":1,"maria":2,"n":3}"#)), ("b", .kvlist([NewPair(key: "k", value: .int(5))])),
        ]
        for times in 1...2 {
            #expect(
                try RedactionSample.redacted(keys, "rules: [ { name: who, pattern: 'maria|^k$' } ]", times: times)
                    == [
                        "[WHO]=1", "ask [WHO] now=2", "[WHO_2]=3", "other=4", #"a="{"[WHO]":1,"[WHO_2]":2,"n":3}""#,
                        "b={[WHO]: 5}",
                    ])
        }
        #expect(
            try RedactionSample.redacted([("maria", .int(1))], "preset: none\nblocked_values: [maria]") == ["****=1"])
        #expect(
            try RedactionSample.redacted([("maria", .int(1))], "blocked_values: [maria]\nallowed_values: [maria]")
                == ["maria=1"])
    }

    @Test func aKeyOnWhichAPatternIsAbandonedIsBlocked() throws {
        let key = String(repeating: "a", count: 60) + "!"
        try check(key, .string("x"), #""****""#, "blocked_key_patterns: ['^(a+)+$']")
    }

    @Test func whenTimeIsUpKeysAreBlockedAndNothingIsAllowed() throws {
        let slow = String(repeating: "a", count: 60) + "!"
        let blocked = "blocked_key_patterns: ['^(a+)+$', '^b']\nrule_time_limit: 1ms"
        #expect(try RedactionSample.redacted([("plain", .string("x"))], blocked) == [#"plain="x""#])
        // Of what is not tried any more nobody knows.
        let found = try RedactionSample.redacted([(slow, .string("x")), ("plain", .string("x"))], blocked)
        #expect(found == ["\(slow)=\"****\"", #"plain="****""#])
        let allowed = "allowed_values: ['^(a+)+$', '^ok@']\nrule_time_limit: 1ms"
        #expect(try RedactionSample.redacted("to ok@shop.io", allowed) == "to ok@shop.io")
        let mail = String(repeating: "a", count: 60) + "@shop.io"
        #expect(try RedactionSample.redacted("\(mail) to ok@shop.io", allowed) == "[EMAIL] to [EMAIL]")
    }

    @Test func keywordsAreLookedForWithinTheTimeToo() throws {
        let words = (0..<50).map { "zzzzzzzzz\($0)" }.joined(separator: ", ")
        let rules = (0..<20).map { "{ name: r\($0), pattern: x, keywords: [\(words)] }" }.joined(separator: ", ")
        let text = String(repeating: "z", count: 4 << 20)
        #expect(try RedactionSample.redacted(text, "rule_time_limit: 1ms\nrules: [ \(rules) ]") == "[UNCHECKED]")
    }

    @Test(arguments: [
        "gen_ai.prompt.variable.name", "traceloop.prompt.template_variables", "metadata",
        "llm.tools.0.tool.json_schema",
        "langfuse.observation.metadata.x", "mlflow.chat.tools", "logfire.msg", "lk.chat_ctx",
        "message.tool_calls.0.tool_call.function.arguments",
    ])
    func whatHoldsContentIsContent(_ key: String) throws {
        #expect(try RedactionSample.redacted([(key, .string("hi"))], "content: drop") == [])
    }

    @Test func whatEventsOfMessagesHoldIsContent() throws {
        let attributes = [
            NewPair(key: "message", value: .string("hi")), NewPair(key: "tool_calls", value: .string("hi")),
            NewPair(key: "index", value: .int(0)),
        ]
        for (name, expected) in [("gen_ai.choice", 1), ("gen_ai.user.message", 1), ("exception", 3)] {
            var span = SpanFixture()
            span.events = [(name, attributes)]
            let batch = try RedactionSample.redacted(span, "content: drop")
            let event = batch.spans[0].events.lowerBound
            #expect(try batch.attributesAfterExport(of: .event(event, span: 0)).count == expected, "\(name)")
        }
    }

    @Test(arguments: ["phone.number", "phone.home", "user.phone.value", "contact.phones"])
    func theLastTwoPartsOfAKeySayWhatTheValueIs(_ key: String) throws {
        try check(key, .string("6055550123"), #""[PHONE]""#)
        try check(key, .int(6_055_550_123), #""[PHONE]""#)
    }

    @Test func whatHoldsAMemberSaysWhatItIs() throws {
        try check("a", .string(#"{"phone":{"home":"6055550123"}}"#), #""{"phone":{"home":"[PHONE]"}}""#)
        try check("a", .string(#"{"phones":[{"value":6055550123}]}"#), #""{"phones":[{"value":"[PHONE]"}]}""#)
        try check("user.ssn.value", .string("536229726"), #""[US_SSN]""#)
        try check("call.arguments", .string("4096 8192 16384"), #""4096 8192 16384""#)
    }

    /// Readers of JSON keep the last of two members with one name, or the first.
    @Test func keysThatWouldBeCalledTheSameAreNumbered() throws {
        for times in 1...2 {
            func redacted(_ attributes: [(String, NewValue)], _ yaml: String = "") throws -> [String] {
                try RedactionSample.redacted(attributes, yaml, times: times)
            }
            #expect(
                try redacted([("ask bob@shop.io", .int(1)), ("ask ann@shop.io", .int(2)), ("cy@shop.io", .int(3))])
                    == ["ask [EMAIL]=1", "ask [EMAIL_2]=2", "[EMAIL]=3"])
            #expect(try redacted([("bob＠shop.io", .int(1)), ("b", .int(2))]) == ["[EMAIL]=1", "b=2"])
            let text = #"{"bob@shop.io":1,"ann@shop.io":2,"x":{"cy@shop.io":{"di@shop.io":3}},"ed@shop.io":4}"#
            #expect(
                try redacted([("a", .string(text))])
                    == [#"a="{"[EMAIL]":1,"[EMAIL_2]":2,"x":{"[EMAIL]":{"[EMAIL]":3}},"[EMAIL_3]":4}""#])
            let list = ["bob@shop.io", "b", "ann@shop.io"].map { NewPair(key: $0, value: .int(1)) }
            #expect(try redacted([("a", .kvlist(list))]) == ["a={[EMAIL]: 1, b: 1, [EMAIL_2]: 1}"])
            let mails = #"{"x bob@shop.io y":1,"x ann@shop.io y":2}"#
            #expect(try redacted([("a", .string(mails))]) == [#"a="{"x [EMAIL] y":1,"x [EMAIL] y_2":2}""#])
            // What was redacted earlier keeps its name, and gives way only to what has it already.
            #expect(
                try redacted([("a", .string(#"{"[EMAIL]":0,"bob@shop.io":1,"[EMAIL_2]":2,"ann@shop.io":3}"#))])
                    == [#"a="{"[EMAIL]":0,"[EMAIL_2]":1,"[EMAIL_2_2]":2,"[EMAIL_3]":3}""#])
            #expect(
                try redacted([("bob@shop.io", .int(1)), ("[EMAIL]", .int(0))]) == ["[EMAIL]=1", "[EMAIL_2]=0"])
            // They came so.
            let twice = #"{"[EMAIL]":1,"[EMAIL]":2}"#
            #expect(try redacted([("a", .string(twice))]) == ["a=\"\(twice)\""])
        }
    }

    @Test func aNumberedKeySaysNothingOfItsValue() throws {
        let text = #"{"605-555-0123":1,"605-555-0124":"6055550125"}"#
        #expect(
            try RedactionSample.redacted(text, times: 2) == #"{"[PHONE]":1,"[PHONE_2]":"6055550125"}"#)
    }

    @Test func behindAnIdOnlyBareDigitsMeanNothing() throws {
        try check("patient.id", .string("536-22-8726"), #""[US_SSN]""#)
        try check("a", .string(#"{"id":"+1 605 555 0123"}"#), #""{"id":"[PHONE]"}""#)
        try check("request_id", .string("4111 1111 1111 1111"), #""[CREDIT_CARD]""#)
        try check("request_id", .string("4111111111111111"), #""4111111111111111""#)
        try check("service.version", .string("5.84.12.7"), #""5.84.12.7""#)
        try check("trace_id", .string("605 555 0123"), #""605 555 0123""#)
        try check("code.stacktrace", .string("for 84.12.7.200"), #""for [IP_ADDRESS]""#)
        try check("process.command_line", .string("call (605) 555-0123"), #""call [PHONE]""#)
    }
}
