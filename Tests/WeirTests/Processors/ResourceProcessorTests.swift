import Testing

@testable import Weir

@Suite struct ResourceProcessorTests {
    private func process(_ yaml: String, _ batch: inout Batch) throws {
        var processor = try ProcessorFixture<ResourceProcessor>(yaml).processor
        processor.process(&batch)
    }

    @Test func changesEachResourceAndNoSpan() throws {
        var other = SpanFixture(("a", .int(1)))
        other.resource = [NewPair(key: "env", value: .string("dev"))]
        var batch = try SpanFixture.batch([SpanFixture(("a", .int(1))), other])
        try process(
            "attributes: [{key: env, value: prod, action: insert}, {key: service.name, action: delete}]", &batch)
        #expect(try batch.attributesAfterExport(of: .resource(0)) == [#"env="prod""#])
        #expect(try batch.attributesAfterExport(of: .resource(1)) == [#"env="dev""#])
        #expect(try batch.attributesAfterExport(of: .span(0)) == ["a=1"])
    }

    @Test func givesAnAttributeToARequestWithoutAResource() throws {
        var span = SpanFixture()
        span.resource = []
        var batch = try SpanFixture.batch([span])
        try process("attributes: [{key: env, value: prod, action: update}]", &batch)
        #expect(batch.arena.pointee.isVerbatim == true)
        try process("attributes: [{key: env, value: prod, action: upsert}]", &batch)
        #expect(try batch.attributesAfterExport(of: .resource(0)) == [#"env="prod""#])
    }

    @Test func extractsFromAResource() throws {
        var batch = try SpanFixture.batch([SpanFixture()])
        try process(#"attributes: [{key: service.name, pattern: "^(?P<team>..)", action: extract}]"#, &batch)
        #expect(try batch.attributesAfterExport(of: .resource(0)) == [#"service.name="shop""#, #"team="sh""#])
    }

    @Test func hasNoIncludeAndNoActions() {
        let problems = ProcessorFixture<ResourceProcessor>.problems(
            "attributes: [{key: a, action: delete}]\ninclude: {match_type: strict}\nactions: []")
        #expect(
            problems == [
                "2: include: is not a known key, wanted one of attributes",
                "3: actions: is not a known key, wanted one of attributes",
            ])
    }
}
