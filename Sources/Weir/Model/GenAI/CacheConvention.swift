/// How libraries are known to count what a cache had, whatever their totals look like.
struct CacheConvention: Sendable {
    private let scope: AttributeKey
    /// The first version that it is not known of; nil where it holds for all.
    private let before: [Int]?
    private let basis: Usage.CacheBasis

    private init(_ scope: String, before: [Int]? = nil, _ basis: Usage.CacheBasis) {
        (self.scope, self.before, self.basis) = (AttributeKey(scope), before, basis)
    }

    private static let known = [
        // It has counted caches since openllmetry #2175, and added them up from that day on.
        CacheConvention("opentelemetry.instrumentation.anthropic", .inclusive),
        // openinference #1429 and #1465 likewise, in Python.
        CacheConvention("openinference.instrumentation.anthropic", .inclusive),
        CacheConvention("openinference.instrumentation.bedrock", .inclusive),
        // openinference #3734: what it calls the total left out what the cache had.
        CacheConvention("@arizeai/openinference-instrumentation-anthropic", before: [0, 1, 6], .exclusive),
        // These say that they keep to OpenTelemetry's conventions, in which cached tokens are input tokens.
        CacheConvention("pydantic-ai", .inclusive),
        CacheConvention("gen_ai", .inclusive),
        // "input_tokens: count of input tokens, sum of all input token types", LangSmith.
        CacheConvention("langsmith", .inclusive),
        CacheConvention("litellm", .inclusive),
    ]

    /// Nil where nothing is known of the library that made the span.
    static func basis(of span: SpanRecord, in batch: borrowing Batch) -> Usage.CacheBasis? {
        let scope = batch.scopes[Int(span.scope)]
        let (name, version) = (batch.bytes(scope.name), batch.bytes(scope.version))
        return known.first { $0.scope.equals(name) && $0.holds(for: version) }?.basis
    }

    private func holds(for version: UnsafeRawBufferPointer) -> Bool {
        guard let before else { return true }
        let numbers = version.prefix(32).split(separator: UInt8(ascii: "."), maxSplits: 3).map {
            Int(String(decoding: $0, as: UTF8.self)) ?? 0
        }
        return !version.isEmpty && numbers.lexicographicallyPrecedes(before)
    }
}
