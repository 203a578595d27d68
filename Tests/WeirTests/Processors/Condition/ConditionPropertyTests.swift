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

    @Test func theFirstOfSeveralIsTheFirstThatMatchesAlone() throws {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix64(seed: seed)
        let batch = try SpanFixture.batch([.sample])
        // Of the resource and the scope, each with whether it holds.
        let shared = [
            ("resource['service.name'] == 'shop'", true), ("resource['none'] != nil", false),
            ("scope.name == 'io.shop.http'", true), ("true", true),
        ]
        var found = Set<Int>()
        for _ in 0..<2_000 {
            var conditions: [Condition?] = []
            var holds: [Bool] = []
            for _ in 0..<5 {
                guard !random.chance(10) else {
                    conditions.append(nil)
                    holds.append(true)
                    continue
                }
                let (sample, (common, isTrue)) = (ConditionSample(depth: 3, using: &random), random.pick(shared))
                let text = sample.text(using: &random)
                let isEither = random.chance(30)
                conditions.append(
                    try Condition(parsing: isEither ? "\(common) or (\(text))" : "\(common) and (\(text))"))
                holds.append(isEither ? isTrue || sample.holds : isTrue && sample.holds)
            }
            let list = ConditionList(conditions, besides: KeySet())
            let entry = list.entry(forScope: 0, of: batch)
            let present = batch.mayHave(list.keys, in: batch.spans[0].attributes)
            let first = list.first(matching: batch.spans[0], present, from: entry, in: batch)
            #expect(first == holds.firstIndex(of: true), "seed \(seed)")
            found.insert(first ?? -1)
        }
        #expect(found == Set(-1..<5), "seed \(seed)")
    }
}
