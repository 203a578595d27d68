import Testing

@testable import Weir

/// What spans of one batch have in common is looked through once, and none of them may tell.
@Suite struct AlikeSpansTests {
    private static let yaml = """
        summary: debug
        allow: ["*@shop.io"]
        keys: [{ key: "gone.*", action: drop }, { key: shut, action: encrypt }]
        """
    private static let keys = ["note", "phone", "user.id", "gone.id", "shut", "password", "bob@x.org", "n"]
    private static let values: [NewValue] = [
        .string("nothing"), .string("6055550123"), .string("ask ann@shop.io"), .string("ask bob@x.org"), .int(7),
        .string(#"{"shut":"a"}"#), .string(""), .string("u-1"), .array([.string("bob@x.org")]), .int(6_055_550_123),
    ]

    private func fixture() throws -> ProcessorFixture<RedactionProcessor> {
        try ProcessorFixture("\(RedactionSample.key)\n\(Self.yaml)")
    }

    @Test func eachSpanIsRedactedAsIfItWereAlone() throws {
        var random = SplitMix64(seed: 14)
        var processor = try fixture().processor
        for round in 0..<300 {
            let spans = (0..<6).map { _ in
                var span = SpanFixture()
                span.attributes = Self.keys.filter { _ in random.chance(70) }.map {
                    NewPair(key: $0, value: random.pick(Self.values))
                }
                return span
            }
            var together = try SpanFixture.batch(spans)
            processor.process(&together)
            for (index, span) in spans.enumerated() {
                var alone = try SpanFixture.batch([span])
                processor.process(&alone)
                #expect(
                    try together.attributesAfterExport(of: .span(index)) == alone.attributesAfterExport(of: .span(0)),
                    "seed 14, round \(round)")
                #expect(
                    Self.encrypted(of: index, together) == Self.encrypted(of: 0, alone), "seed 14, round \(round)")
            }
        }
    }

    private static func encrypted(of span: Int, _ batch: borrowing Batch) -> [Bool] {
        batch.attributes(of: .span(span)).indices.map { batch.attributes[$0].mustEncrypt }
    }

    @Test func whatIsAllowedIsCountedInEachSpan() throws {
        let fixture = try fixture()
        var processor = fixture.processor
        var span = SpanFixture()
        span.attributes = [NewPair(key: "note", value: .string("ask ann@shop.io"))]
        var batch = try SpanFixture.batch([span, span, span])
        processor.process(&batch)
        #expect(fixture.metrics.render().contains(#"weir_redaction_allowed{redaction="redaction/test"} 3"#))
    }
}
