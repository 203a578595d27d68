import Foundation
import Testing

@testable import Weir

/// The file that docs/sampling.md names is what it says.
@Suite struct SamplingExampleTests {
    private func processor() throws -> SamplingProcessor {
        let root = URL(filePath: #filePath).appending(path: "../../../../..").standardized
        let file = root.appending(path: "docs/examples/sampling.yaml").path
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let start = try #require(text.range(of: "  sampling:\n"))
        let end = try #require(text.range(of: "\nexporters:"))
        return try ProcessorFixture<SamplingProcessor>(String(text[start.upperBound..<end.lowerBound])).processor
    }

    private func rules(_ spans: [SpanFixture]) throws -> [String?] {
        var processor = try processor()
        return try SamplingSample.run(&processor, on: spans).map(\.rule)
    }

    private func span(_ service: String, _ attributes: (String, NewValue)..., environment: String? = nil) -> SpanFixture
    {
        var span = SpanFixture()
        span.resource = [NewPair(key: "service.name", value: .string(service))]
        if let environment {
            span.resource.append(NewPair(key: "deployment.environment.name", value: .string(environment)))
        }
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        return span
    }

    @Test func keepsEverythingOfStagingEveryCallOfAModelAndAllTheRest() throws {
        let spans = [
            span("web-ui", ("session.id", .string("s")), environment: "staging"),
            span("web-ui", ("gen_ai.request.model", .string("m")), environment: "production"),
            span("bot", ("gen_ai.usage.input_tokens", .int(1)), environment: "production"),
            span("shop", environment: "production"),
        ]
        #expect(try rules(spans) == ["staging", "llm", "llm", "rest"])
    }

    @Test func keepsAFifthOfTheSessionsOfBrowsers() throws {
        let spans = (0..<5_000).map { span("web-ui", ("session.id", .string("s\($0 / 2)")), environment: "production") }
        let rules = try rules(spans)
        let kept = rules.count { $0 == "ui" }
        #expect((860...1_140).contains(kept), "\(kept)")
        for pair in stride(from: 0, to: rules.count, by: 2) { #expect(rules[pair] == rules[pair + 1]) }
    }
}
