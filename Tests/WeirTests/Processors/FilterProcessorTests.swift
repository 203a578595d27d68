import Testing

@testable import Weir

@Suite struct FilterProcessorTests {
    private let healthChecks = #"traces: { span: [ 'attributes["http.route"] == "/healthz"', 'name == "noise"' ] }"#

    private func span(_ name: String, route: String) -> SpanFixture {
        var span = SpanFixture(("http.route", .string(route)))
        span.name = name
        return span
    }

    @Test func dropsSpansThatMatchOneOfTheConditions() throws {
        let filter = try ProcessorFixture<FilterProcessor>(healthChecks)
        var processor = filter.processor
        var batch = try SpanFixture.batch([
            span("a", route: "/healthz"), span("b", route: "/users"), span("noise", route: "/users"),
        ])
        processor.process(&batch)
        #expect(batch.spanCount == 1)
        #expect(batch.spans.map(\.isDropped) == [true, false, true])
        var encoder = OTLPEncoder()
        let payload = encoder.encode(batch) ?? .empty
        let expected = SpanFixture.request([span("b", route: "/users")])
        #expect(payload.bytes.elementsEqual(expected.bytes))
    }

    @Test func countsWhatItDropsUnderItsID() throws {
        let filter = try ProcessorFixture<FilterProcessor>(healthChecks)
        var processor = filter.processor
        for _ in 0..<2 {
            var batch = try SpanFixture.batch([
                span("a", route: "/healthz"), span("noise", route: "/healthz"), span("b", route: "/users"),
            ])
            batch.drop(span: 0)
            processor.process(&batch)
        }
        #expect(
            filter.metrics.render().contains(#"otelcol_processor_filter_spans_filtered{filter="filter/test"} 2"#))
    }

    @Test(.hangLimit) func whatTakesTooManyStepsIsNoMatchAndCounted() throws {
        let filter = try ProcessorFixture<FilterProcessor>(
            #"traces: { span: [ 'name =~ "^(\w+\s?)*$"', 'name == "noise"' ] }"#)
        var processor = filter.processor
        let hostile = String(repeating: "a", count: 40) + "!"
        for turn in 1...2 {
            var batch = try SpanFixture.batch(
                (0..<500).map { _ in span(hostile, route: "/") } + [span("noise", route: "/"), span("a b", route: "/")])
            processor.process(&batch)
            #expect(batch.spanCount == 500)
            let metric = "weir_regular_expression_matches_abandoned"
            #expect(filter.metrics.render().contains(#"\#(metric){processor="filter/test"} \#(turn * 500)"#))
        }
    }

    @Test func leavesABatchVerbatimWhereNothingMatched() throws {
        let payload = SpanFixture.request([span("b", route: "/users")])
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        var processor = try ProcessorFixture<FilterProcessor>(healthChecks).processor
        processor.process(&batch)
        #expect(batch.arena.pointee.isVerbatim == true)
        var encoder = OTLPEncoder()
        #expect(encoder.encode(batch) === payload)
    }

    @Test func saysWhichConditionIsWrongAndWhere() {
        func check(_ yaml: String, fails expected: String..., at location: SourceLocation = #_sourceLocation) {
            #expect(ProcessorFixture<FilterProcessor>.problems(yaml) == expected, sourceLocation: location)
        }
        check("{}", fails: "1: traces.span: is missing, wanted a list of 1...256 entries")
        check(
            "traces:\n  span:\n    - name == \"a\"\n    - name = \"a\"",
            fails: "4: traces.span[1]: column 6: found \"=\", "
                + "wanted one of == != < <= > >= =~ !~ in contains starts_with ends_with")
        check(
            "error_mode: loud\ntraces: { span: ['true'] }",
            fails: "1: error_mode: found the string \"loud\", wanted one of ignore, silent, propagate")
        check(
            "traces: { span: ['true'], spanevent: ['true'] }",
            fails: "1: traces.spanevent: is not a known key, wanted one of span")
    }
}
