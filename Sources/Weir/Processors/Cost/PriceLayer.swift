/// Rows of which none goes before another, whatever list they are from.
struct PriceLayer: Sendable {
    private struct Key: Hashable {
        let provider: String
        let model: String
    }

    /// Where a span does not say whose model it called: those who make models before those who serve others'.
    private static let order = [
        "openai", "anthropic", "google", "mistral", "cohere", "xai", "deepseek", "perplexity", "elevenlabs",
        "assemblyai", "deepgram", "bedrock", "groq", "azure", "vertex",
    ]

    private var rows: [Key: [ModelPrice]] = [:]
    /// Those whose name has a `*`, in their order.
    private var patterns: [(pattern: GlobPattern, price: ModelPrice)] = []
    private let providers: [String]

    init(_ prices: [ModelPrice]) {
        for price in prices {
            for name in [price.model] + price.aliases {
                if name.contains("*") {
                    patterns.append((GlobPattern(name), price))
                } else {
                    rows[Key(provider: price.provider, model: name), default: []].append(price)
                }
            }
        }
        let all = Set(prices.map(\.provider))
        providers = Self.order.filter(all.contains) + all.subtracting(Self.order).sorted()
    }

    /// The row of the first of the names that has one for the tenant at the time. Whole names go before patterns.
    func first(
        of names: [ModelName.Candidate], tenant: String, at time: Timestamp
    ) -> (place: Int, price: ModelPrice)? {
        func holds(_ price: ModelPrice) -> Bool { (price.tenant ?? tenant) == tenant && price.holds(at: time) }
        for (place, name) in names.enumerated() {
            for provider in name.provider.map({ [$0] }) ?? providers {
                let found = rows[Key(provider: provider, model: name.model)]?.first(where: holds)
                if let found { return (place, found) }
            }
        }
        guard !patterns.isEmpty else { return nil }
        for (place, name) in names.enumerated() {
            let found = Array(name.model.utf8).withUnsafeBytes { bytes in
                patterns.first { pattern, price in
                    (name.provider ?? price.provider) == price.provider && pattern.matches(bytes) && holds(price)
                }
            }
            if let found { return (place, found.price) }
        }
        return nil
    }
}
