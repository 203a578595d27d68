import Testing

@testable import Weir

/// What redaction wants to be encrypted is handed on: an attribute, or what stands at a path in it.
@Suite struct RedactionEncryptTests {
    private static let rules = """
        keys:
          - { key: app.payload.user.name, action: keep }
          - { key: "app.payload.*.name", action: encrypt }
          - { key: app.whole, action: encrypt }
        """

    private func encrypted(
        _ value: NewValue, key: String = "app.payload", _ yaml: String = rules
    ) async throws -> String {
        let sample = try await EncryptionSample([])
        var batch = try RedactionSample.redacted(SpanFixture((key, value)), yaml)
        let payload = try sample.encrypted(&batch)
        let text = try payload.debugText
        #expect(try await sample.revealed(payload).counts.unreadable == 0)
        return text.replacing(/\\*"weir1\.[A-Za-z0-9_-]+\\*"/, with: "#")
    }

    @Test func aPathIsEncryptedAndNothingElse() async throws {
        #expect(
            try await encrypted(.string(#"{"user":{"name":"a"},"to":[{"name":"b"},{"x":"bob@shop.io"}],"name":"c"}"#))
                == ##"app.payload="{"user":{"name":"a"},"to":[{"name":#},{"x":"[EMAIL]"}],"name":#}""##)
        let map = NewValue.kvlist([
            .init(
                key: "to", value: .kvlist([.init(key: "name", value: .string("b")), .init(key: "n", value: .int(1))])),
            .init(key: "args", value: .string(#"{"name":"d","n":"{\"name\":[1]}"}"#)),
        ])
        #expect(
            try await encrypted(map)
                == ##"app.payload={to: {name: #, n: 1}, args: "{"name":#,"n":"{\"name\":#}"}"}"##)
        #expect(try await encrypted(.string(#"{"x":1}"#), key: "app.whole") == "app.whole=#")
        #expect(try await encrypted(.string(#"{"x":1}"#)) == #"app.payload="{"x":1}""#)
    }

    @Test func aPathThatLeadsNowhereAnyMoreIsTheWholeAttribute() async throws {
        // The name of a member goes.
        #expect(try await encrypted(.string(#"{"bob@shop.io":{"name":"b"}}"#)) == "app.payload=#")
        // So does a part of the key.
        let rules = "keys: [ { key: '*.name', action: encrypt } ]"
        let found = try await encrypted(.string(#"{"name":"b"}"#), key: "app.bob@shop.io", rules)
        #expect(found == "[EMAIL]=#")
        // Of more than that nobody keeps the paths.
        let many = (0...1000).map { "\"n\($0)\":{\"name\":1}" }.joined(separator: ",")
        #expect(try await encrypted(.string("{\(many)}")) == "app.payload=#")
        // What is cut off in the middle of it.
        #expect(try await encrypted(.string(#"{"to":{"name":"b"#)) == "app.payload=#")
    }

    /// The texts of a message's parts are looked through together, when the names that lead to them are closed again.
    @Test func whatStandsInThePartsOfAMessageIsEncryptedThere() async throws {
        let rules = "keys: [ { key: '*.ssn', action: encrypt } ]"
        func messages(_ parts: String) -> String { #"[{"role":"user","parts":[\#(parts)],"ssn":"2"}]"# }
        let part = #"{"type":"text","content":"{\"ssn\":\"1\"}"}"#
        let sealed = ##"{"type":"text","content":"{\"ssn\":#}"}"##
        for count in 1...2 {
            let found = try await encrypted(
                .string(messages(Array(repeating: part, count: count).joined(separator: ","))), key: "m", rules)
            let parts = Array(repeating: sealed, count: count).joined(separator: ",")
            #expect(found == ##"m="[{"role":"user","parts":[\##(parts)],"ssn":#}]""##)

            let map = NewValue.kvlist([
                .init(key: "type", value: .string("text")), .init(key: "content", value: .string(#"{"ssn":"1"}"#)),
            ])
            let list = try await encrypted(
                .kvlist([
                    .init(key: "parts", value: .array(Array(repeating: map, count: count))),
                    .init(key: "ssn", value: .string("2")),
                ]), key: "m", rules)
            let maps = Array(repeating: ##"{type: "text", content: "{"ssn":#}"}"##, count: count)
            #expect(list == ##"m={parts: [\##(maps.joined(separator: ", "))], ssn: #}"##)
        }
    }

    @Test func anAttributeOfWhichNotAllIsFoundIsEncryptedAsAWhole() async throws {
        func sealed(_ text: String, _ marked: [String], _ fields: [String] = []) async throws -> String {
            let sample = try await EncryptionSample(fields)
            var batch = try SpanFixture.batch([SpanFixture(("a", .string(text)))])
            let index = batch.spans[0].attributes.indices.lowerBound
            for path in marked { batch.encrypt([Array(path.utf8)], ofAttribute: index) }
            // A processor in between may add attributes.
            batch.set(AttributeKey("other"), to: batch.store(.int(1)), of: .span(0))
            let shown = try sample.encrypted(&batch).debugText.replacing(/\\*"weir1\.[A-Za-z0-9_-]+\\*"/, with: "#")
            return String(shown.prefix(while: { $0 != "\n" }))
        }
        let text = #"{"x":{"y":1},"z":[2,{"y":3}]}"#
        #expect(try await sealed(text, ["a.x"]).hasPrefix(##"a="{"x":#,"z":[2,{"y":3}]}""##))
        #expect(try await sealed(text, ["a.x.y", "a.z.y"]).hasPrefix(##"a="{"x":{"y":#},"z":[2,{"y":#}]}""##))
        #expect(try await sealed(text, ["a.x", "a.gone"]).hasPrefix("a=#"))
        // What stands in something that is encrypted goes with it.
        #expect(try await sealed(text, ["a.x", "a.x.y"]).hasPrefix(##"a="{"x":#,"z":[2,{"y":3}]}""##))
        #expect(try await sealed(text, ["a.x.y"], ["a.x"]).hasPrefix(##"a="{"x":#,"z":[2,{"y":3}]}""##))
    }

    @Test func anAttributeThatWasRenamedIsEncryptedAsAWhole() async throws {
        let sample = try await EncryptionSample([])
        var batch = try RedactionSample.redacted(
            SpanFixture(("app.payload", .string(#"{"to":{"name":"b"}}"#))), Self.rules)
        let index = batch.spans[0].attributes.indices.lowerBound
        let key = batch.intern("other")
        batch.setKey(attributeAt: index, to: key, of: .span(0))
        #expect(try sample.encrypted(&batch).debugText.hasPrefix("other=\"weir1."))
    }

    @Test func whatIsMadeOfItIsEncryptedToo() async throws {
        let sample = try await EncryptionSample([])
        var batch = try RedactionSample.redacted(
            SpanFixture(
                ("app.whole", .string("call 47 now")), ("app.payload", .string(#"{"to":{"name":"b"}}"#)),
                ("app.number", .string("42"))),
            Self.rules + "\n  - { key: app.number, action: encrypt }")
        var attributes = try ProcessorFixture<AttributesProcessor>(
            """
            actions:
              - { key: copy, from_attribute: app.whole, action: insert }
              - { key: copy.of.copy, from_attribute: copy, action: upsert }
              - { key: other, from_attribute: app.payload, action: upsert }
              - { key: app.whole, pattern: '(?P<found>[0-9]+)', action: extract }
              - { key: app.number, converted_type: int, action: convert }
              - { key: plain, value: x, action: insert }
            """
        ).processor
        attributes.process(&batch)
        let text = try sample.encrypted(&batch).debugText.replacing(/\\*"weir1\.[A-Za-z0-9_-]+\\*"/, with: "#")
        #expect(
            text.split(separator: "\n") == [
                "app.whole=#", ##"app.payload="{"to":{"name":#}}""##, "app.number=#", "copy=#", "copy.of.copy=#",
                "other=#", "found=#", #"plain="x""#,
            ])
    }

    @Test func contentIsEncryptedWhereItStands() async throws {
        let rules = "content: encrypt"
        #expect(
            try await encrypted(.string(#"{"role":"user","content":"hi"}"#), key: "request", rules)
                == ##"request="{"role":"user","content":#}""##)
        #expect(try await encrypted(.string("hi"), key: "gen_ai.prompt", rules) == "gen_ai.prompt=#")
    }

    @Test func nextToNothingIsRememberedOfARequest() async throws {
        var batch = try RedactionSample.redacted(
            SpanFixture(("app.payload", .string(#"{"to":{"name":"b"}}"#))), Self.rules)
        #expect(batch.arena.pointee.membersToEncrypt.count == 1)
        batch.encrypt((0..<10_000).map { Array("app.payload.\($0)".utf8) }, ofAttribute: 0)
        #expect(batch.arena.pointee.membersToEncrypt.count == 1 && batch.attributes[0].mustEncrypt)
        batch.reset(to: .empty)
        #expect(batch.arena.pointee.membersToEncrypt.isEmpty)
    }
}
