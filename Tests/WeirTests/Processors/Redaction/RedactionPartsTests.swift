import Testing

@testable import Weir

/// What begins in one part of a message and ends in another.
@Suite struct RedactionPartsTests {
    private func check(
        _ parts: [String], _ expected: [String], _ yaml: String = "", at location: SourceLocation = #_sourceLocation
    ) throws {
        func text(_ parts: [String]) -> String {
            let list = parts.map { #"{"type":"text","content":"\#($0)"}"# }.joined(separator: ",")
            return #"[{"role":"user","parts":[\#(list)]}]"#
        }
        #expect(try RedactionSample.redacted(text(parts), yaml) == text(expected), sourceLocation: location)
        func list(_ parts: [String]) -> NewValue {
            .kvlist([
                NewPair(
                    key: "parts",
                    value: .array(
                        parts.map {
                            .kvlist([
                                NewPair(key: "type", value: .string("text")),
                                NewPair(key: "content", value: .string($0)),
                            ])
                        }))
            ])
        }
        let found = try RedactionSample.redacted([("m", list(parts))], yaml)
        let shown = expected.map { #"{type: "text", content: "\#($0)"}"# }.joined(separator: ", ")
        #expect(found == ["m={parts: [\(shown)]}"], sourceLocation: location)
    }

    private static let first = "AKIA" + "Q6ZX7P"

    @Test func whatTwoJoinsShareIsGone() throws {
        try check(
            [Self.first, "J2M4N8K3TU mail bob@sh", "op.io"], ["[AWS_KEY]", " mail [EMAIL]", ""])
    }

    @Test func aValueOverThreePartsIsFound() throws {
        try check(["key AKIA", "Q6ZX7P", "J2M4N8K3TU now"], ["key [AWS_KEY]", "", " now"])
        let line = String(repeating: "TUlJRQ", count: 100)
        try check(
            ["x -----BEGIN PRIVATE KEY-----\(line)", line, "\(line)-----END PRIVATE KEY----- y"],
            ["x [PRIVATE_KEY]", "", " y"])
    }

    @Test func actionsAllowListsAndRulesHoldForItToo() throws {
        let mail = ["ask bob@sh", "op.io now"]
        try check(mail, ["ask ***@shop.io", " now"], "detectors: { email: partial }")
        try check(mail, mail, "allow: ['*@shop.io']")
        try check(["my K-12", "34 is"], ["my [C]", " is"], "rules: [ { name: c, pattern: 'K-\\d{4}' } ]")
        let hashed = try RedactionSample.redacted(#"{"content":["bob@sh","op.io"]}"#, "detectors: { email: hash }")
        #expect(hashed.hasPrefix(#"{"content":["tok_email_"#) && hashed.hasSuffix(#"",""]}"#))
    }

    @Test func pathsLeadThroughParts() throws {
        let yaml = "keys: [ { key: '*.content.plate', action: mask } ]"
        let text = #"[{"parts":[{"type":"text","content":"{\"plate\":\"AB-123\"}"},{"type":"text","content":"x"}]}]"#
        let expected = text.replacing("AB-123", with: "[MASKED]")
        #expect(try RedactionSample.redacted(text, yaml) == expected)
        #expect(try RedactionSample.redacted(text, "keys: [ { key: '*.parts.plate', action: mask } ]") == text)
    }

    @Test func partsStandingAloneStay() throws {
        try check(["ask bob@shop.io, ", "or ann@shop.io"], ["ask [EMAIL], ", "or [EMAIL]"])
        // Read as one text, neither would be what it is.
        try check(["id \(Self.first)J2M4N8K3TU", "is it"], ["id [AWS_KEY]", "is it"])
        try check(["plain", "text"], ["plain", "text"])
        let found = try RedactionSample.redacted(
            [("a", .string(#"{"content":["bob@shop.io x","y"]}"#))], "summary: info")
        #expect(found == [#"a="{"content":["[EMAIL] x","y"]}""#, "redaction.count=1"])
    }
}
