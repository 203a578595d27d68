import Testing

@testable import Weir

@Suite struct AttributesProcessorTests {
    /// The attributes of one span after these actions, as its receiver sees them.
    private func attributes(of span: SpanFixture, after actions: String...) throws -> [String] {
        var batch = try SpanFixture.batch([span])
        try process(&batch, actions)
        return try batch.attributesAfterExport(of: .span(0))
    }

    private func process(_ batch: inout Batch, _ actions: [String]) throws {
        let list = actions.map { "  - {\($0)}\n" }.joined()
        var processor = try ProcessorFixture<AttributesProcessor>("actions:\n\(list)").processor
        processor.process(&batch)
    }

    private func check(
        _ yaml: String, fails expected: String..., at location: SourceLocation = #_sourceLocation
    ) {
        #expect(ProcessorFixture<AttributesProcessor>.problems(yaml) == expected, sourceLocation: location)
    }

    // MARK: Actions

    @Test func insertsOnlyWhereTheKeyIsMissing() throws {
        let insert = "key: env, value: prod, action: insert"
        #expect(try attributes(of: SpanFixture(("a", .int(1))), after: insert) == ["a=1", #"env="prod""#])
        #expect(try attributes(of: SpanFixture(("env", .int(1))), after: insert) == ["env=1"])
    }

    @Test func updatesOnlyWhereTheKeyIsPresent() throws {
        let update = "key: env, value: 7, action: update"
        #expect(try attributes(of: SpanFixture(("a", .int(1))), after: update) == ["a=1"])
        #expect(try attributes(of: SpanFixture(("env", .string("x"))), after: update) == ["env=7"])
    }

    @Test func upsertsInBothCases() throws {
        let upsert = "key: env, value: 1.5, action: upsert"
        #expect(try attributes(of: SpanFixture(), after: upsert) == ["env=1.5"])
        #expect(try attributes(of: SpanFixture(("env", .string("x"))), after: upsert) == ["env=1.5"])
    }

    @Test func takesTheValueWithTheTypeItHasInTheFile() throws {
        let result = try attributes(
            of: SpanFixture(), after: "key: a, value: '5', action: insert", "key: b, value: 5, action: insert",
            "key: c, value: true, action: insert", "key: d, value: [x, y], action: insert",
            "key: e, value: -0.5, action: insert")
        #expect(result == [#"a="5""#, "b=5", "c=true", #"d=["x", "y"]"#, "e=-0.5"])
    }

    @Test func copiesAnotherAttributeWithItsType() throws {
        let span = SpanFixture(("from", .array([.int(1), .string("x")])), ("to", .bool(true)))
        let result = try attributes(of: span, after: "key: to, from_attribute: from, action: update")
        #expect(result == [#"from=[1, "x"]"#, #"to=[1, "x"]"#])
    }

    @Test func doesNothingWhereTheOtherAttributeIsMissing() throws {
        for verb in ["insert", "update", "upsert"] {
            let result = try attributes(
                of: SpanFixture(("a", .int(1))),
                after: "key: \(verb == "update" ? "a" : "b"), from_attribute: x, action: \(verb)")
            #expect(result == ["a=1"])
        }
    }

    @Test func deletesByKey() throws {
        let span = SpanFixture(("a", .int(1)), ("b", .int(2)))
        #expect(try attributes(of: span, after: "key: a, action: delete") == ["b=2"])
        #expect(try attributes(of: span, after: "key: c, action: delete") == ["a=1", "b=2"])
    }

    @Test func deletesByPatternAndByBoth() throws {
        let span = SpanFixture(
            ("http.a", .int(1)), ("b", .int(2)), ("http.c", .int(3)), ("d", .int(4)))
        #expect(try attributes(of: span, after: #"pattern: "^http\\.", action: delete"#) == ["b=2", "d=4"])
        #expect(try attributes(of: span, after: #"key: b, pattern: "^http", action: delete"#) == ["d=4"])
    }

    @Test func reachesEveryAttributeWithTheKey() throws {
        let span = SpanFixture(("a", .int(1)), ("b", .int(2)), ("a", .int(3)))
        #expect(try attributes(of: span, after: "key: a, value: 9, action: update") == ["a=9", "b=2"])
        #expect(try attributes(of: span, after: "key: a, value: 9, action: upsert") == ["a=9", "b=2"])
        #expect(try attributes(of: span, after: "key: a, action: delete") == ["b=2"])
        #expect(try attributes(of: span, after: "pattern: a, action: delete") == ["b=2"])
        #expect(
            try attributes(of: span, after: "key: a, converted_type: string, action: convert") == [#"a="1""#, "b=2"])
    }

    @Test func extractsNamedGroups() throws {
        let extract = #"key: url, pattern: "^(?P<scheme>\\w+)://(?P<host>[^/]+)(?P<path>/.*)?$", action: extract"#
        #expect(
            try attributes(of: SpanFixture(("url", .string("https://é.org/a")), ("host", .int(1))), after: extract)
                == [#"url="https://é.org/a""#, #"host="é.org""#, #"path="/a""#, #"scheme="https""#])
        #expect(
            try attributes(of: SpanFixture(("url", .string("x://y"))), after: extract).sorted()
                == [#"host="y""#, #"scheme="x""#, #"url="x://y""#])
    }

    @Test func extractsNothingFromWhatDoesNotMatchOrIsNoText() throws {
        let extract = #"key: url, pattern: "(?P<host>\\d+)", action: extract"#
        #expect(try attributes(of: SpanFixture(("url", .string("abc"))), after: extract) == [#"url="abc""#])
        #expect(try attributes(of: SpanFixture(("url", .int(5))), after: extract) == ["url=5"])
        #expect(try attributes(of: SpanFixture(("b", .int(5))), after: extract) == ["b=5"])
    }

    @Test func convertsWhereTheValueHasAMeaningInTheType() throws {
        func check(
            _ value: NewValue, _ type: String, _ expected: String, at location: SourceLocation = #_sourceLocation
        ) throws {
            let result = try attributes(
                of: SpanFixture(("a", value)), after: "key: a, converted_type: \(type), action: convert")
            #expect(result == ["a=\(expected)"], sourceLocation: location)
        }
        try check(.string("42"), "int", "42")
        try check(.string("4.2"), "int", #""4.2""#)
        try check(.double(-4.9), "int", "-4")
        try check(.double(1e300), "int", "1e+300")
        try check(.double(.nan), "int", "nan")
        try check(.bool(true), "int", "1")
        try check(.string("4.5"), "double", "4.5")
        try check(.int(4), "double", "4.0")
        try check(.bool(false), "double", "0.0")
        try check(.int(-4), "string", #""-4""#)
        try check(.double(3), "string", #""3""#)
        try check(.double(0.25), "string", #""0.25""#)
        try check(.double(0.000012), "string", #""0.000012""#)
        try check(.double(-1.2345678901234568e16), "string", #""-12345678901234568""#)
        try check(.double(1e20), "string", #""100000000000000000000""#)
        try check(.double(1.5e21), "string", #""1.5e+21""#)
        try check(.double(1e-7), "string", #""1e-7""#)
        try check(.string("0x10"), "double", #""0x10""#)
        try check(.bool(true), "string", #""true""#)
        try check(.array([.int(1)]), "string", "[1]")
        try check(.string("x"), "string", #""x""#)
    }

    @Test func makesChangesInTheirOrder() throws {
        let result = try attributes(
            of: SpanFixture(("a", .string("1"))), after: "key: b, from_attribute: a, action: insert",
            "key: a, action: delete", "key: b, converted_type: int, action: convert",
            "key: c, value: [], action: upsert")
        #expect(result == ["b=1", "c=[]"])
    }

    // MARK: The batch

    @Test func leavesABatchVerbatimWhereNothingChanged() throws {
        let payload = SpanFixture.request([SpanFixture(("a", .int(1)))])
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        try process(
            &batch,
            [
                "key: a, value: 2, action: insert", "key: b, value: 2, action: update", "key: b, action: delete",
                "key: a, converted_type: int, action: convert", "pattern: ^x, action: delete",
            ])
        #expect(batch.arena.pointee.isVerbatim == true)
        var encoder = OTLPEncoder()
        #expect(encoder.encode(batch) === payload)
    }

    @Test func storesAConstantOnceInEachBatch() throws {
        var processor = try ProcessorFixture<AttributesProcessor>(
            "actions: [{key: a, value: a-rather-long-constant, action: update}]"
        ).processor
        for _ in 0..<2 {
            var batch = try SpanFixture.batch(Array(repeating: SpanFixture(("a", .int(1))), count: 50))
            processor.process(&batch)
            #expect(batch.arena.pointee.side.count == "a-rather-long-constant".utf8.count)
            for span in batch.spans.indices {
                #expect(try batch.attributesAfterExport(of: .span(span)) == [#"a="a-rather-long-constant""#])
            }
        }
    }

    @Test func passesOverDroppedSpans() throws {
        var batch = try SpanFixture.batch([SpanFixture(("a", .int(1))), SpanFixture(("a", .int(1)))])
        batch.drop(span: 0)
        try process(&batch, ["key: a, value: 2, action: update"])
        #expect(batch.spans[0].state.contains(.dirty) == false)
        #expect(try batch.attributesAfterExport(of: .span(0)) == ["a=2"])
    }

    // MARK: Errors

    @Test func saysWhatIsWrongWithAnAction() {
        check("{}", fails: "1: actions: is missing, wanted a list of 1...256 entries")
        check("actions: []", fails: "1: actions: found 0 entries, wanted 1...256")
        check(
            "actions: [{key: a, action: hash}]",
            fails: "1: actions[0].action: found the string \"hash\", "
                + "wanted one of insert, update, upsert, delete, extract, convert")
        check(
            "actions: [{key: a, action: insert}]",
            fails: "1: actions[0]: found none or both of value and from_attribute, wanted one of them")
        check(
            "actions: [{key: a, value: 1, from_attribute: b, action: upsert}]",
            fails: "1: actions[0]: found none or both of value and from_attribute, wanted one of them")
        check(
            "actions: [{value: 1, action: update}]",
            fails: "1: actions[0].key: is missing, wanted the key of an attribute")
        check(
            "actions: [{action: delete}]",
            fails: "1: actions[0]: found neither key nor pattern, wanted one of them or both")
        check(
            "actions: [{key: a, value: 1, action: delete}]",
            fails: "1: actions[0].value: means nothing to delete, wanted key, pattern")
        check(
            "actions: [{key: '', action: delete}]",
            fails: "1: actions[0].key: found an empty string, wanted the key of an attribute")
        check(
            "actions: [{key: a, action: convert}]",
            fails: "1: actions[0].converted_type: is missing, wanted int, double or string")
        check(
            "actions: [{key: a, converted_type: bool, action: convert}]",
            fails: "1: actions[0].converted_type: found \"bool\", wanted one of int, double, string")
        check(
            "actions: [{key: a, from_context: b, action: insert, value: 1}]",
            fails: "1: actions[0].from_context: is not a known key, "
                + "wanted one of key, value, from_attribute, action, pattern, converted_type")
    }

    @Test func saysWhatIsWrongWithAPattern() {
        check(
            "actions: [{key: a, action: extract}]",
            fails: "1: actions[0].pattern: found no named group, wanted a pattern such as ^/api/(?P<version>[^/]+)")
        check(
            "actions: [{key: a, pattern: '(x)', action: extract}]",
            fails: "1: actions[0].pattern: found no named group, wanted a pattern such as ^/api/(?P<version>[^/]+)")
        check(
            "actions: [{pattern: '(x', action: delete}]",
            fails: "1: actions[0].pattern: found \"(x\", "
                + "wanted a regular expression: missing closing parenthesis at offset 2")
    }
}
