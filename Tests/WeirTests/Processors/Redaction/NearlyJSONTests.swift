import Testing

@testable import Weir

/// What is nearly JSON is not less looked through than what is.
@Suite struct NearlyJSONTests {
    private static let members = #""password":"correct horse","e":"bob\u0040shop.io""#
    private static let expected = #""password":"[MASKED]","e":"[EMAIL]""#

    @Test(arguments: [
        "{@}", #"{@,"n":NaN}"#, #"{"n":-Infinity,@}"#, "{@,}", "[{@},]", "\u{FEFF}{@}", "{@} and more", "{@}\n{@}",
        "data: {@}\n\ndata: {@}\n\n", "```json\n{@}\n```", #"{"a":True,"b":undefined,@}"#, "{\"a\":\"x\ny\t\",@}",
        #"INFO body={@} took 5 ms"#, "[{@}, (", #"{@, "x": {"y": 'z'}}"#, "{@",
    ])
    func itIsReadAllTheSame(_ shape: String) throws {
        let text = shape.replacing("@", with: Self.members)
        let expected = shape.replacing("@", with: Self.expected)
        #expect(try RedactionSample.redacted(text) == expected)
        #expect(try RedactionSample.redacted(text, times: 2) == expected)
    }

    @Test func whatDoesNotParseIsLookedThroughAsText() throws {
        let text = #"["bob\u0040shop.io", 605 555 0123 is the phone of ann@shop.io, {"user_id":"u"}]"#
        let token = try RedactionSample.redacted(#"{"user_id":"u"}"#)
        #expect(
            try RedactionSample.redacted(text)
                == #"["[EMAIL]", [PHONE] is the phone of [EMAIL], \#(token)]"#)
        let quoted = #""Hello," said bob@shop.io"#
        #expect(try RedactionSample.redacted(quoted) == #""Hello," said [EMAIL]"#)
        #expect(try RedactionSample.redacted("[605-555-0123 x") == "[[PHONE] x")
        #expect(try RedactionSample.redacted("[84.12.7.200] GET") == "[[IP_ADDRESS]] GET")
        #expect(try RedactionSample.redacted("[84.12.7.200+44 20 7946 0958") == "[[IP_ADDRESS][PHONE]")
    }

    @Test func whatIsNestedTooDeepIsMaskedAndTheRestLookedThrough() throws {
        let deep = String(repeating: "[", count: 250) + #""bob@shop.io""# + String(repeating: "]", count: 250)
        let found = try RedactionSample.redacted(#"{"x":\#(deep),"password":"correct horse"}"#)
        #expect(found.contains(#"["[TOO_DEEP]"]"#) && !found.contains("bob") && !found.contains("horse"))
        let open = String(repeating: "[", count: 250) + #""bob\u0040shop.io""#
        #expect(try !RedactionSample.redacted(open).contains("bob"))
    }

    @Test func aMemberThatIsMaskedKeepsItsShape() throws {
        #expect(
            try RedactionSample.redacted(#"{"password":{"old":"x","new":["y",5,true]}}"#)
                == #"{"password":{"old":"[MASKED]","new":["[MASKED]","[MASKED]",true]}}"#)
        #expect(
            try RedactionSample.redacted(#"{"b":{"c":"x"},"d":1}"#, "keys: [ { key: '.b', action: drop } ]")
                == #"{"b":"[REMOVED]","d":1}"#)
        #expect(
            try RedactionSample.redacted(#"{"b":{"c":"bob@a.io"},"d":1}"#, "keys: [ { key: '.b', action: keep } ]")
                == #"{"b":{"c":"bob@a.io"},"d":1}"#)
    }

    @Test func countsWhatIsInWhatComesOut() throws {
        let found = try RedactionSample.redacted(
            [("a", .string(#"{"e":"bob@shop.io", (ann@shop.io"#))], "summary: info")
        #expect(found == [#"a="{"e":"[EMAIL]", ([EMAIL]""#, "redaction.count=2"])
    }
}
