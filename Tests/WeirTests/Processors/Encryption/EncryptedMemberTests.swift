import Foundation
import Testing

@testable import Weir

/// What stands inside of attributes: in JSON texts, maps and lists.
@Suite struct EncryptedMemberTests {
    private func span(_ values: (String, NewValue)...) -> SpanFixture {
        var span = SpanFixture()
        span.attributes = values.map { NewPair(key: $0.0, value: $0.1) }
        return span
    }

    /// What stands in the attribute `a` before and after.
    private func sealed(_ text: String, _ sample: EncryptionSample) throws -> (text: String, payload: Payload) {
        let payload = try sample.encrypted([span(("a", .string(text)))])
        return (String(try payload.debugText.dropFirst(3).dropLast()), payload)
    }

    private static var mask: Regex<Substring> { /\\*"weir1\.[A-Za-z0-9_-]+\\*"/ }

    // MARK: JSON texts

    @Test(arguments: [
        (#"{"ssn":"536-22-8726","n":1}"#, #"{"ssn":#,"n":1}"#),
        (
            #"{ "ssn" : 12.50 , "x":[{"ssn":{"a": [1, 2]}},{"ssn":true},{"ssn":null}]}"#,
            #"{ "ssn" : # , "x":[{"ssn":#},{"ssn":#},{"ssn":null}]}"#
        ),
        (#"{"\u0073sn":"\u00e9\/\"","other":"\u00e9\/"}"#, #"{"\u0073sn":#,"other":"\u00e9\/"}"#),
        (
            #"{"args":"{\"ssn\":\"x\",\"u\":\"\u00e9\\u00e9\\\/\"}"}"#,
            #"{"args":"{\"ssn\":#,\"u\":\"\u00e9\\u00e9\\\/\"}"}"#
        ),
        (#"{"b":"\ud83d\ude00{\"c\":\"{\\\"ssn\\\":[1]}\"}"}"#, #"{"b":"\ud83d\ude00{\"c\":\"{\\\"ssn\\\":#}\"}"}"#),
        ("{\"ssn\":\"a\"}\n{\"ssn\":\"b\"}", "{\"ssn\":#}\n{\"ssn\":#}"),
        (#"data: [{"ssn": 1}] and so on"#, #"data: [{"ssn": #}] and so on"#),
        (#"{"ssn":NaN,"x":None,}"#, #"{"ssn":#,"x":None,}"#),
        (#"{"x":"y"}"#, #"{"x":"y"}"#), ("no JSON: ssn", "no JSON: ssn"), (#"{"x":"cut o"#, #"{"x":"cut o"#),
        (#"{"ssn":"a","x":"cut o"#, #"{"ssn":#,"x":"cut o"#),
    ])
    func onlyWhatIsNamedIsEncryptedAndComesBackByteForByte(_ text: String, _ expected: String) async throws {
        let sample = try await EncryptionSample(["a.*.ssn"])
        let (found, payload) = try sealed(text, sample)
        #expect(found.replacing(Self.mask, with: "#") == expected)
        let (opened, counts) = try await sample.revealed(payload)
        #expect(try opened.debugText == "a=\"\(text)\"")
        #expect(counts == RevealPass.Counts(revealed: expected.count { $0 == "#" }, unreadable: 0))
        // Nothing is encrypted twice.
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        #expect(try sample.encrypted(&batch, times: 2).array == payload.array)
    }

    @Test(arguments: [
        #"{"x" "ssn":"a"}"#, #"{"ssn":"cut o"#, #"{"ssn":{"a":1"#, #"{'ssn': 'a'}"#, #"{"x":1} "ssn": "a""#,
        #"{"x":hello world,"ssn":"a"}"#, String(repeating: #"{"x":"#, count: 300) + "1",
        "[" + Array(repeating: #"{"ssn":1}"#, count: 1001).joined(separator: ",") + "]",
        #"{"\#(String(repeating: "n", count: 5000))":{"ssn":1}}"#,
    ])
    func whatCannotBeGoneThroughIsEncryptedAsAWhole(_ text: String) async throws {
        let sample = try await EncryptionSample(["a.*.ssn"])
        let (found, payload) = try sealed(text, sample)
        #expect(found.wholeMatch(of: /weir1\.[A-Za-z0-9_-]+/) != nil, "\(found.prefix(100))")
        #expect(try await sample.revealed(payload).payload.debugText == "a=\"\(text)\"")
        // Another attribute may look like that.
        let other = try await EncryptionSample(["b.*.ssn"])
        #expect(try sealed(text, other).text == text)
    }

    @Test func textsInTextsEndSomewhere() async throws {
        var text = #"{"ssn":"secret"}"#
        for _ in 0..<10 { text = #"{"x":\#(String(decoding: JSONCursor.quoted(Array(text.utf8)), as: UTF8.self))}"# }
        let sample = try await EncryptionSample(["a.*.ssn"])
        #expect(try sealed(text, sample).text.hasPrefix("weir1."))
    }

    @Test func aNamedMapIsEncryptedWithAllThatStandsInIt() async throws {
        let sample = try await EncryptionSample([".user"])
        let text = #"{"user":{"ssn":1,"user":2},"x":{"user":[3]}}"#
        let (found, payload) = try sealed(text, sample)
        #expect(found.replacing(Self.mask, with: "#") == ##"{"user":#,"x":{"user":[3]}}"##)
        #expect(try await sample.revealed(payload).payload.debugText == "a=\"\(text)\"")
    }

    // MARK: Maps and lists

    @Test func membersOfMapsComeBackAsTheyWere() async throws {
        let values: [NewPair] = [
            .init(key: "s", value: .string("secret")), .init(key: "i", value: .int(-4711)),
            .init(key: "d", value: .double(-0.0)), .init(key: "t", value: .bool(true)),
            .init(key: "b", value: .bytes([0, 255])), .init(key: "l", value: .array([.string("secret"), .int(1)])),
            .init(key: "m", value: .kvlist([.init(key: "n", value: .string("secret"))])),
        ]
        let json = NewValue.string(#"{"in":{"s":"secret"},"n":"stays"}"#)
        let plain = span(
            (
                "a",
                .kvlist([
                    .init(key: "in", value: .kvlist(values)), .init(key: "n", value: .string("stays")),
                    .init(key: "l", value: .array([json, .kvlist([.init(key: "in", value: .kvlist(values))])])),
                ])
            ), ("b", .array([json])))
        let sample = try await EncryptionSample(["*.in.*"])
        let payload = try sample.encrypted([plain])
        #expect(!payload.has("secret") && payload.has("stays"))
        let (opened, counts) = try await sample.revealed(payload)
        #expect(try opened.written == SpanFixture.request([plain]).written)
        #expect(counts == RevealPass.Counts(revealed: 16, unreadable: 0))
    }

    /// Readers show bytes as they are: nothing in them was encrypted, and nothing is opened.
    @Test func bytesThatLookLikeCiphertextKeepNothingFromBeingOpened() async throws {
        let sample = try await EncryptionSample(["a.*.s"])
        let sealed = try sample.encrypted([span(("a", .string(#"{"x":{"s":1}}"#)))])
        let envelope = try #require(sealed.debugText.firstMatch(of: /weir1\.[A-Za-z0-9_-]+/)).output
        let bytes = NewValue.bytes(Array(#"{"t":"\#(envelope)"}"#.utf8))
        let plain = span(
            (
                "a",
                .kvlist([
                    .init(key: "m", value: .kvlist([.init(key: "s", value: .string("secret"))])),
                    .init(key: "raw", value: bytes),
                ])
            ))
        let payload = try sample.encrypted([plain])
        #expect(!payload.has("secret") && payload.has(String(envelope)))
        let (opened, counts) = try await sample.revealed(payload)
        #expect(try opened.written == SpanFixture.request([plain]).written)
        #expect(counts == RevealPass.Counts(revealed: 1, unreadable: 0))
    }

    // MARK: Places

    @Test func ciphertextOpensOnlyAtItsPlace() async throws {
        let sample = try await EncryptionSample(["*.s", "a.b.c"])
        let text = #"[{"s":1},{"s":2},{"x":{"s":3}}]"#
        let payload = try sample.encrypted([span(("a", .string(text)), ("b", .string(text)), ("a.b.c", .string("4")))])
        let texts = try payload.debugText.split(separator: "\n").map(String.init)
        let all = texts.map { $0.matches(of: /weir1\.[A-Za-z0-9_-]+/).map { String($0.output) } }
        #expect(all.map(\.count) == [3, 3, 1])
        func unreadable(_ values: (String, NewValue)...) async throws -> Int {
            var batch = try SpanFixture.batch([SpanFixture()])
            for (key, value) in values { batch.set(AttributeKey(key), to: batch.store(value), of: .span(0)) }
            return try await sample.revealed(.copying(batch.encoded)).counts.unreadable
        }
        func list(_ one: String, _ two: String) -> NewValue { .string(#"[{"s":"\#(one)"},{"s":"\#(two)"}]"#) }
        #expect(try await unreadable(("a", list(all[0][0], all[0][1]))) == 0)
        #expect(try await unreadable(("a", list(all[0][1], all[0][0]))) == 2)
        #expect(try await unreadable(("b", list(all[0][0], all[0][1]))) == 2)
        #expect(try await unreadable(("a", .string(#"{"s":"\#(all[0][0])"}"#))) == 1)
        #expect(try await unreadable(("a", .string(all[0][0]))) == 1)
        // The key of an attribute, and a way that reads like it.
        #expect(try await unreadable(("a.b.c", .string(all[2][0]))) == 0)
        #expect(try await unreadable(("a", .string(#"{"b":{"c":"\#(all[2][0])"}}"#))) == 1)
        // What only looks like ciphertext is encrypted.
        let again = try sample.encrypted([span(("a", .string(#"[{"s":"\#(all[0][1])"}]"#)))])
        #expect(!again.has(all[0][1]))
    }

    @Test func textsBehindOneAnotherAreToldApart() async throws {
        let sample = try await EncryptionSample([".s"])
        let (found, _) = try sealed("{\"s\":1}\n{\"s\":2}", sample)
        let lines = found.split(separator: "\n").map(String.init)
        for (text, count) in [("\(lines[0])\n\(lines[1])", 0), ("\(lines[1])\n\(lines[0])", 2)] {
            let payload = SpanFixture.request([span(("a", .string(text)))])
            #expect(try await sample.revealed(payload).counts.unreadable == count)
        }
    }

    @Test func bytesOfWhichSomethingIsNamedAreEncryptedAsAWhole() async throws {
        let sample = try await EncryptionSample(["a.*.ssn"])
        let json = NewValue.bytes(Array(#"{"ssn":"secret"}"#.utf8))
        for value in [json, .kvlist([.init(key: "x", value: json)]), .array([.int(1), json])] {
            let payload = try sample.encrypted([span(("a", value))])
            #expect(try payload.debugText.hasPrefix(#"a="weir1."#), "\(value)")
            let written = try SpanFixture.request([span(("a", value))]).written
            #expect(try await sample.revealed(payload).payload.written == written)
        }
        for bytes in [Array(#"{"name":"x"}"#.utf8), [0xFF, 0x7B, 0x22], Array("text: {".utf8)] {
            #expect(try sample.encrypted([span(("a", .bytes(bytes)))]).debugText == "a=bytes \(bytes)")
        }
    }

    // MARK: Reading

    @Test func whoMayReadAPathReadsNothingElse() async throws {
        let sample = try await EncryptionSample(["a.x.*", "a.y", "b"])
        let text = #"{"x":{"s":1,"t":{"u":2}},"y":"z"}"#
        let payload = try sample.encrypted([span(("a", .string(text)), ("b", .string("whole")))])
        func revealed(_ fields: String...) async throws -> String {
            let opened = try await sample.revealed(payload, fields: fields).payload.debugText
            return opened.replacing(Self.mask, with: "#").replacing("\n", with: " ")
        }
        #expect(try await revealed("a.x.s") == ##"a="{"x":{"s":1,"t":#},"y":#}" b=#"##)
        #expect(try await revealed("a.x") == ##"a="{"x":{"s":1,"t":{"u":2}},"y":#}" b=#"##)
        #expect(try await revealed(".y", "b") == ##"a="{"x":{"s":#,"t":#},"y":"z"}" b="whole""##)
        #expect(try await revealed("a") == ##"a="\##(text)" b=#"##)
        // What was encrypted as a whole is read by whoever may read the whole.
        let whole = try sample.encrypted([span(("a", .string(#"{"x":{"s":"1"#)))])
        #expect(try await sample.revealed(whole, fields: ["a.x.s"]).counts.revealed == 0)
    }

    @Test func aDestroyedKeyLeavesNullAndTheReason() async throws {
        let sample = try await EncryptionSample(["*.s"])
        let list = NewValue.kvlist([.init(key: "s", value: .int(1)), .init(key: "n", value: .int(2))])
        let payload = try sample.encrypted([
            span(("a", .string(#"[{"s":1,"n":"x"},{"s":{"y":2}},{"m":{"s":3}}]"#)), ("b", list))
        ])
        let id = try #require(EncryptionSample.keyIDs(payload).first)
        try await sample.ring.makeDurable([try #require(sample.ring.known(id))])
        let ring = sample.ring
        try await ring.store.run { database throws(KeyError) in
            _ = try database.destroy(.id(id), at: EncryptionSample.now)
        }
        try await ring.refresh(at: EncryptionSample.now)
        let (opened, counts) = try await sample.revealed(payload)
        #expect(counts == RevealPass.Counts(revealed: 0, unreadable: 4))
        #expect(
            try opened.debugText.split(separator: "\n") == [
                #"a="[{"s":null,"n":"x"},{"s":null},{"m":{"s":null}}]""#, "b={s: empty, n: 2}",
                #"a.s.unreadable="key destroyed""#, #"a.m.s.unreadable="key destroyed""#,
                #"b.s.unreadable="key destroyed""#,
            ])
    }

    // MARK: What else

    @Test func membersHaveAnIndexLikeAttributes() async throws {
        let sample = try await EncryptionSample(["a.*", "b.account"], indexed: ["a.account", "b.account"])
        func index(_ key: String, _ value: NewValue) throws -> String? {
            try sample.encrypted([span((key, value))]).debugText.split(separator: "\n").map(String.init)
                .first { $0.hasPrefix("a.account.index=") || $0.hasPrefix("b.account.index=") }
        }
        let text = try #require(try index("a", .string(#"{"account":"47\u00311","other":"x"}"#)))
        #expect(try index("a", .string(#"{"account":4711}"#)) == text)
        #expect(try index("a", .kvlist([.init(key: "account", value: .int(4711))])) == text)
        #expect(try index("a", .string(#"[{"account":4711},{"account":5}]"#)) == text)
        #expect(try index("a", .string(#"{"account":[4711]}"#)) == nil)
        #expect(try index("a.account", .string("4711")) == text)
        let other = try #require(try index("b", .string(#"{"account":4711}"#)))
        #expect(other.split(separator: "=")[1] != text.split(separator: "=")[1])
    }

    @Test func theContentOfEventsIsKnownByTheirName() async throws {
        let sample = try await EncryptionSample([], content: true)
        for (name, isContent) in [("gen_ai.choice", true), ("gen_ai.user.message", true), ("exception", false)] {
            var span = SpanFixture()
            let own = [NewPair(key: "message", value: .string("the plan")), NewPair(key: "index", value: .int(0))]
            // Attributes stand in the same places in both.
            span.events = [("log", own), (name, own), ("log", own)]
            let payload = try sample.encrypted([span])
            var batch = Batch()
            try OTLPDecoder().decode(payload, into: &batch)
            let found = try batch.spans[0].events.map { event in
                try batch.attributesAfterExport(of: .event(event, span: 0)).joined(separator: " ")
            }
            #expect(found[0] == #"message="the plan" index=0"# && found[2] == found[0])
            #expect(found[1].hasPrefix(#"message="weir1."#) == isContent, "\(name)")
            #expect(found[1].hasSuffix("index=0"))
            #expect(try await sample.revealed(payload).payload.written == SpanFixture.request([span]).written)
        }
    }

    @Test func whatIsNamedIsInNoTextAndAllElseIsAsItWas() async throws {
        var random = SplitMix64(seed: 81)
        let sample = try await EncryptionSample(["a*.secret"])
        for round in 0..<1500 {
            let text = "[\(RandomDocument.text(&random, 0))]"
            let (found, payload) = try sealed(text, sample)
            let before = try JSONSerialization.jsonObject(with: Data(text.utf8))
            let after = try JSONSerialization.jsonObject(with: Data(found.utf8))
            let isSame = RandomDocument.shown(before, .withoutSecrets) == RandomDocument.shown(after, .sealed)
            #expect(isSame, "seed 81, round \(round): \(text)")
            let opened = String(try await sample.revealed(payload).payload.debugText.dropFirst(3).dropLast())
            let again = try JSONSerialization.jsonObject(with: Data(opened.utf8))
            // In a text in a text, what was encrypted has plain escapes afterwards.
            let isBack = opened == text || RandomDocument.shown(again, .whole) == RandomDocument.shown(before, .whole)
            #expect(isBack, "seed 81, round \(round): \(text)")
        }
    }
}

/// Any value that JSON has, as text, some strings of it JSON themselves.
private enum RandomDocument {
    static func text(_ random: inout SplitMix64, _ depth: Int) -> String {
        switch random.below(depth > 3 ? 3 : 5) {
        case 0: return random.pick(["1", "-2.5e3", "true", "null"])
        case 1, 2: return quoted(random.pick(["", "plain", "x \"y\" \\ \n é", "{", "[1]", "a: b"]), &random)
        case 3:
            let members = (0..<random.below(4)).map { _ in
                "\(quoted(random.pick(["secret", "text", "a/b~c", "é"]), &random)) : \(text(&random, depth + 1))"
            }
            return "{ \(members.joined(separator: ",")) }"
        default:
            let elements = (0..<random.below(4)).map { _ in text(&random, depth + 1) }
            let list = "[\(elements.joined(separator: ", "))]"
            return random.chance(40) ? quoted(list, &random) : list
        }
    }

    private static func quoted(_ text: String, _ random: inout SplitMix64) -> String {
        guard random.chance(30) else { return String(decoding: JSONCursor.quoted(Array(text.utf8)), as: UTF8.self) }
        let escapes = text.utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"\(escapes.joined())\""
    }

    enum Sight {
        case whole, withoutSecrets, sealed
    }

    /// A value in one spelling, texts in texts included.
    static func shown(_ value: Any, _ sight: Sight) -> String {
        switch value {
        case let map as [String: Any]:
            let members = map.sorted { $0.key < $1.key }.map { key, value in
                guard sight != .whole, key == "secret", !(value is NSNull) else {
                    return "\(key): \(shown(value, sight))"
                }
                return sight == .sealed && (value as? String)?.hasPrefix("weir1.") != true ? "in clear" : "secret: #"
            }
            return "{\(members.joined(separator: ", "))}"
        case let list as [Any]: return "[\(list.map { shown($0, sight) }.joined(separator: ", "))]"
        case let text as String:
            let inner = try? JSONSerialization.jsonObject(with: Data(text.utf8))
            return inner.map { shown($0, sight) } ?? "text \(text)"
        default: return "\(value)"
        }
    }
}
