import Foundation
import Testing

@testable import Weir

/// What calls are known to cost, against the list that comes with Weir.
struct PriceVectorTests {
    private struct Vector: Decodable {
        let name: String
        let provider: String
        let model: String
        let bedrock_prefix: String?
        let usage: [String: Int64]
        let expect_usd: Decimal
        let breakdown: [String: Decimal]
    }

    /// The list that comes with Weir.
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../../../prices.yaml"

    static func table() throws -> PriceTable {
        let file = Self.file
        var fields = Fields([], file: file)
        let list = fields.file("prices", default: file, "", PriceFile.init)
        #expect(fields.diagnostics.lines == [])
        return PriceTable([try #require(list)])
    }

    @Test func everyVectorIsExact() throws {
        let table = try Self.table()
        let url = try #require(Bundle.module.url(forResource: "Fixtures/prices/vectors", withExtension: "json"))
        let vectors = try JSONDecoder().decode([Vector].self, from: Data(contentsOf: url))
        #expect(vectors.count == 12)
        for vector in vectors {
            let use = vector.usage
            let counts = Usage.Counts(
                input: use["input"], output: use["output"], cacheRead: use["cache_read"],
                cacheWrite: use["cache_write"],
                reasoning: use["reasoning"], inputAudio: use["input_audio"], outputAudio: use["output_audio"],
                seconds: use["seconds"])
            let usage = try #require(Usage(counts, default: .inclusive), "\(vector.name)")
            let model = vector.bedrock_prefix.map { "\($0).\(vector.model)" } ?? vector.model
            let name = ModelName(provider: vector.provider, model: model)
            // A Friday at noon.
            let time = Timestamp(nanoseconds: 1_795_176_000_000_000_000)
            let match = try #require(table.match(name, tenant: "default", at: time), "\(vector.name)")
            let cost = try #require(
                match.price.cost(of: usage, tier: nil, region: match.region, at: time), "\(vector.name)")
            #expect(Cost.text(cost.total) == "\(vector.expect_usd)", "\(vector.name)")
            for (unit, amount) in vector.breakdown {
                let unit = try #require(UsageUnit(rawValue: unit == "seconds" ? "input_second" : unit))
                #expect(Cost.text(cost[unit]) == "\(amount)", "\(vector.name), \(unit)")
            }
        }
    }
}
