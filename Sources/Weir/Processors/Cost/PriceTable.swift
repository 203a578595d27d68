/// The prices of one or more lists, by name.
struct PriceTable: Sendable {
    struct Match: Sendable {
        let price: ModelPrice
        /// Of the name's cross-region prefix.
        let region: String?
    }

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
    private let otherProviders: [String]

    /// - Parameter files: what is in a later one goes before what is in an earlier one.
    init(_ files: [PriceFile]) {
        var providers: Set<String> = []
        for price in files.reversed().flatMap(\.models) {
            providers.insert(price.provider)
            for name in [price.model] + price.aliases {
                rows[Key(provider: price.provider, model: name), default: []].append(price)
            }
        }
        otherProviders = providers.subtracting(Self.order).sorted()
    }

    /// The price of a model for a tenant at a time. One that is for the tenant alone goes before one for all.
    func match(_ name: ModelName, tenant: String, at time: Timestamp) -> Match? {
        for candidate in name.candidates {
            let providers = candidate.provider.map { [$0] } ?? (Self.order + otherProviders)
            for provider in providers {
                let found = (rows[Key(provider: provider, model: candidate.model)] ?? []).filter {
                    $0.holds(at: time)
                }
                if let own = found.first(where: { $0.tenant == tenant }) {
                    return Match(price: own, region: candidate.region)
                }
                if let price = found.first(where: { $0.tenant == nil }) {
                    return Match(price: price, region: candidate.region)
                }
            }
        }
        return nil
    }
}
