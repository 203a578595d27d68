import Testing

@testable import Weir

struct UsageTests {
    private func resolve(_ counts: Usage.Counts, default basis: Usage.CacheBasis = .inclusive) -> Usage? {
        Usage(counts, default: basis)
    }

    @Test func everyUnitHasAPlaceOfItsOwn() {
        var rates = Rates()
        for (number, unit) in UsageUnit.allCases.enumerated() { rates[unit] = Int64(number) }
        #expect(UsageUnit.allCases.map { rates[$0] } == (0..<UsageUnit.count).map { Int64($0) })
    }

    @Test func cachedTokensAreAmongTheInputOrBesideIt() throws {
        let inside = try #require(resolve(.init(input: 130_213, output: 100, cacheRead: 128_955, cacheWrite: 1_253)))
        let beside = try #require(
            resolve(.init(input: 5, output: 100, cacheRead: 128_955, cacheWrite: 1_253)))
        #expect(inside.basis == .inclusive && beside.basis == .exclusive)
        for unit in UsageUnit.allCases { #expect(inside[unit] == beside[unit], "\(unit)") }
        #expect(inside.inputTokens == beside.inputTokens && inside[.input] == 5)
    }

    @Test func theTotalDecidesWhatTheCountsAloneCannot() throws {
        let counts = Usage.Counts(input: 500, output: 10, cacheRead: 300)
        var inclusive = counts
        inclusive.total = 510
        var exclusive = counts
        exclusive.total = 810
        #expect(resolve(inclusive, default: .exclusive)?[.input] == 200)
        #expect(resolve(exclusive, default: .inclusive)?[.input] == 500)
        #expect(resolve(counts, default: .exclusive)?[.input] == 500)
        #expect(resolve(counts, default: .inclusive)?[.input] == 200)
    }

    @Test func reasoningIsAmongTheOutputUnlessTheTotalSaysOtherwise() throws {
        let among = try #require(resolve(.init(input: 10, output: 100, total: 110, reasoning: 60)))
        #expect(among[.output] == 40 && among[.reasoning] == 60)
        let beside = try #require(resolve(.init(input: 10, output: 100, total: 170, reasoning: 60)))
        #expect(beside[.output] == 100 && beside[.reasoning] == 60)
    }

    @Test func anHourOfCacheIsApart() throws {
        let usage = try #require(resolve(.init(input: 100, cacheWrite: 40, hourCacheWrite: 30)))
        #expect(usage[.cacheWrite] == 10 && usage[.hourCacheWrite] == 30 && usage[.input] == 60)
    }

    @Test(arguments: [
        Usage.Counts(input: -1), .init(input: 1 << 41), .init(input: .max, cacheRead: .max),
        .init(input: 10, output: 5, reasoning: 6), .init(input: 10, inputAudio: 11),
        .init(input: 10, cacheWrite: 3, hourCacheWrite: 4),
    ])
    func countsThatContradictEachOtherAreNoUsage(_ counts: Usage.Counts) {
        #expect(resolve(counts) == nil)
    }
}
