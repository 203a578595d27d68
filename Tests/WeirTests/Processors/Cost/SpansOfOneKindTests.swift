import Testing

@testable import Weir

/// Where spans have the same keys in the same order, what was found in one is where it is in the next.
struct SpansOfOneKindTests {
    private static let keys = [
        "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_read.input_tokens", "weir.cost.total", "output.value", "llm.model_name", "app.feature",
        "openinference.span.kind", "gen_ai.usage.prompt_tokens",
    ]

    private func value(of key: String, _ random: inout SplitMix64) -> NewValue {
        func oneOf(_ words: String...) -> NewValue { .string(words[Int(random.next() % UInt64(words.count))]) }
        return switch key {
        case "gen_ai.operation.name": oneOf("chat", "invoke_agent", "nothing known")
        case "openinference.span.kind": oneOf("LLM", "CHAIN")
        case "gen_ai.request.model", "llm.model_name": oneOf("gpt-4o", "gpt-4o-mini", "unheard-of")
        case "output.value":
            .string(#"{"id": "r1", "usage": {"prompt_tokens": \#(random.next() % 900), "completion_tokens": 7}}"#)
        case "app.feature", "weir.cost.total": oneOf("1", "2")
        default: .int(Int64(random.next() % 9_000))
        }
    }

    @Test func aSpanCostsTheSameWhateverComesBeforeIt() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let yaml = "prices: \"\(PriceVectorTests.file)\"\nalso_write: [llm.cost]"
        let fresh = try ProcessorFixture<CostProcessor>(yaml).processor
        var used = fresh
        var costs: Set<String> = []
        for _ in 0..<100 {
            // Kinds of as many keys, most of them the same; in one of them another key of that length is a letter off.
            var kinds = (0..<3).map { _ in Array(Self.keys.shuffled(using: &random).prefix(6)) }
            let place = Int(random.next() % 6)
            kinds[2] = kinds[1]
            kinds[2][place] = String(kinds[1][place].dropLast()) + "~"
            let spans = (0..<20).map { _ in
                var span = SpanFixture()
                let kind = kinds[Int(random.next() % 3)]
                span.attributes = kind.map { NewPair(key: $0, value: value(of: $0, &random)) }
                return span
            }
            var together = try SpanFixture.batch(spans)
            used.process(&together)
            for (index, span) in spans.enumerated() {
                var other = fresh
                var alone = try SpanFixture.batch([span])
                other.process(&alone)
                let expected = try alone.attributesAfterExport(of: .span(0))
                #expect(try together.attributesAfterExport(of: .span(index)) == expected)
                costs.formUnion(expected.filter { $0.hasPrefix("weir.cost.status=") })
            }
        }
        #expect(costs.count >= 3, "\(costs)")
    }
}
