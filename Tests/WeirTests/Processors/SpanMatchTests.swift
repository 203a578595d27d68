import Testing

@testable import Weir

/// `include` and `exclude`.
@Suite struct SpanMatchTests {
    private let action = "actions: [{key: seen, value: true, action: insert}]\n"

    private func isChanged(_ span: SpanFixture, _ yaml: String) throws -> Bool {
        var batch = try SpanFixture.batch([span])
        var processor = try ProcessorFixture<AttributesProcessor>(action + yaml).processor
        processor.process(&batch)
        return try batch.attributesAfterExport(of: .span(0)).contains("seen=true")
    }

    /// Whether a span is included by this `include`, and not by the same as `exclude`.
    private func check(
        _ match: String, matches expected: Bool, _ span: SpanFixture, at location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try isChanged(span, "include: {\(match)}") == expected, sourceLocation: location)
        #expect(try isChanged(span, "exclude: {\(match)}") != expected, sourceLocation: location)
    }

    @Test func includesByService() throws {
        try check("match_type: strict, services: [other, shop]", matches: true, SpanFixture())
        try check("match_type: strict, services: [sho]", matches: false, SpanFixture())
        try check("match_type: regexp, services: [^sh]", matches: true, SpanFixture())
        try check("match_type: regexp, services: [^op]", matches: false, SpanFixture())
    }

    @Test func includesBySpanName() throws {
        try check(#"match_type: strict, span_names: ["GET /users"]"#, matches: true, SpanFixture())
        try check("match_type: strict, span_names: [GET]", matches: false, SpanFixture())
        try check("match_type: regexp, span_names: [POST, ^GET]", matches: true, SpanFixture())
        try check("match_type: regexp, span_names: [users.+]", matches: false, SpanFixture())
    }

    @Test func includesByAttributesThatAllHaveToMatch() throws {
        let span = SpanFixture(("a", .string("xyz")), ("b", .int(5)))
        try check("match_type: strict, attributes: [{key: a, value: xyz}, {key: b, value: 5}]", matches: true, span)
        try check("match_type: strict, attributes: [{key: a, value: xyz}, {key: b, value: 6}]", matches: false, span)
        try check("match_type: strict, attributes: [{key: b, value: '5'}]", matches: false, span)
        try check("match_type: strict, attributes: [{key: b}]", matches: true, span)
        try check("match_type: strict, attributes: [{key: c}]", matches: false, span)
        try check("match_type: regexp, attributes: [{key: a, value: y}]", matches: true, span)
        try check("match_type: regexp, attributes: [{key: a, value: ^y}]", matches: false, span)
    }

    /// Patterns see numbers and booleans as the OpenTelemetry Collector writes them.
    @Test(
        arguments: [
            (.int(503), "^5..$"), (.int(-1), "^-1$"), (.bool(true), "^true$"), (.double(3), "^3$"),
            (.double(0.00002), "^0[.]00002$"), (.double(1e16), "^10000000000000000$"),
        ] as [(NewValue, String)])
    func patternsSeeNumbersAsText(value: NewValue, pattern: String) throws {
        let span = SpanFixture(("a", value))
        try check("match_type: regexp, attributes: [{key: a, value: '\(pattern)'}]", matches: true, span)
        try check("match_type: regexp, attributes: [{key: a, value: ^no$}]", matches: false, span)
    }

    @Test func includesByResource() throws {
        let resource = #"resources: [{key: service.name, value: "#
        try check("match_type: strict, \(resource)shop}]", matches: true, SpanFixture())
        try check("match_type: strict, \(resource)shops}]", matches: false, SpanFixture())
        try check("match_type: regexp, \(resource)s.o}]", matches: true, SpanFixture())
    }

    @Test func includesByKindAndLibrary() throws {
        try check("match_type: strict, span_kinds: [SPAN_KIND_SERVER]", matches: true, SpanFixture())
        try check("match_type: strict, span_kinds: [SPAN_KIND_CLIENT]", matches: false, SpanFixture())
        try check("match_type: strict, libraries: [{name: io.shop.http}]", matches: true, SpanFixture())
        try check(
            "match_type: strict, libraries: [{name: io.shop.http, version: '1.3'}]", matches: false, SpanFixture())
        try check("match_type: regexp, libraries: [{name: shop, version: ^1}]", matches: true, SpanFixture())
    }

    @Test func wantsEveryPropertyThatIsGivenToMatch() throws {
        try check("match_type: strict, services: [shop], span_names: [x]", matches: false, SpanFixture())
    }

    @Test func excludesFromWhatIsIncluded() throws {
        let match = "include: {match_type: strict, services: [shop]}\nexclude: {match_type: strict, span_names: [x]}\n"
        var span = SpanFixture()
        #expect(try isChanged(span, match))
        span.name = "x"
        #expect(try !isChanged(span, match))
    }

    @Test func saysWhatIsWrongWithAMatch() {
        func check(_ yaml: String, fails expected: String..., at location: SourceLocation = #_sourceLocation) {
            let problems = ProcessorFixture<AttributesProcessor>.problems(action + yaml)
            #expect(problems == expected, sourceLocation: location)
        }
        check(
            "include: {match_type: strict}",
            fails: "2: include: found nothing to match, "
                + "wanted services, span_names, span_kinds, libraries, attributes or resources")
        check(
            "include: {services: [a]}",
            fails: "2: include.match_type: is missing, wanted one of strict, regexp")
        check(
            "include: {match_type: regexp, attributes: [{key: a, value: 5}]}",
            fails: "2: include.attributes[0].value: found 5, wanted a string with a regular expression")
        check(
            "exclude: {match_type: regexp, span_names: ['[']}",
            fails: "2: exclude.span_names[0]: found \"[\", "
                + "wanted a regular expression: missing terminating ] for character class at offset 1")
        check(
            "exclude: {match_type: strict, span_kinds: [SPAN_KIND_SERVE]}",
            fails: "2: exclude.span_kinds[0]: found \"SPAN_KIND_SERVE\", wanted one of SPAN_KIND_UNSPECIFIED, "
                + "SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER, SPAN_KIND_CONSUMER "
                + "(did you mean \"SPAN_KIND_SERVER\"?)")
    }
}
