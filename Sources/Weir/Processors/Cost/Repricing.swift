/// What the ledger would have with the prices of today's lists.
struct Repricing: Sendable {
    let table: PriceTable

    /// Nil where the lists say what the ledger says, or nothing: what had a price keeps it.
    func reprice(_ standing: StandingCost) -> CostReprice? {
        guard let usage = Usage(text: standing.usage), !usage.isEmpty else { return nil }
        // The same order as the processor has.
        for model in [standing.model, standing.requestModel].compactMap(\.self) {
            let name = ModelName(provider: standing.provider, model: model)
            guard let match = table.match(name, tenant: standing.key.tenant, at: standing.key.start) else { continue }
            let tier = standing.serviceTier?.lowercased()
            guard let cost = match.price.cost(of: usage, tier: tier, region: match.region, at: standing.key.start)
            else {
                return nil
            }
            let isSame = cost.total == standing.pico && standing.source != CostSource.provider.rawValue
            return isSame ? nil : CostReprice(standing: standing, pico: cost.total, price: match.price.id)
        }
        return nil
    }
}
