import Testing

@testable import Weir

@Suite struct ConditionPropertyTests {
    @Test func agreesWithWhatWasWritten() throws {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix64(seed: seed)
        let batch = try SpanFixture.batch([.sample])
        var matches = 0
        let runs = 5_000
        for _ in 0..<runs {
            let sample = ConditionSample(depth: 6, using: &random)
            let text = sample.text(using: &random)
            guard text.utf8.count <= Condition.maximumLength else { continue }
            let result = try Condition(parsing: text).matches(batch, span: batch.spans[0])
            #expect(result == sample.holds, "seed \(seed): \(text)")
            matches += result ? 1 : 0
        }
        // Both answers were asked for.
        #expect(matches > runs / 10 && matches < runs * 9 / 10, "seed \(seed)")
    }
}
