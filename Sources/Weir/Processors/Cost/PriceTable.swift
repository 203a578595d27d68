/// The prices of one or more lists, by name.
struct PriceTable: Sendable {
    /// A row, to be handed on without copying what it holds.
    final class Row: Sendable {
        let price: ModelPrice

        init(_ price: ModelPrice) {
            self.price = price
        }
    }

    struct Match: Sendable {
        let row: Row
        /// Of the name's cross-region prefix.
        let region: String?

        var price: ModelPrice { row.price }
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

    private var rows: [Key: [Row]] = [:]
    private let otherProviders: [String]

    /// - Parameter files: what is in a later one goes before what is in an earlier one.
    init(_ files: [PriceFile]) {
        var providers: Set<String> = []
        for price in files.reversed().flatMap(\.models) {
            providers.insert(price.provider)
            let row = Row(price)
            for name in [price.model] + price.aliases {
                rows[Key(provider: price.provider, model: name), default: []].append(row)
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
                    $0.price.holds(at: time)
                }
                if let own = found.first(where: { $0.price.tenant == tenant }) {
                    return Match(row: own, region: candidate.region)
                }
                if let price = found.first(where: { $0.price.tenant == nil }) {
                    return Match(row: price, region: candidate.region)
                }
            }
        }
        return nil
    }
}
