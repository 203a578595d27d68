/// The prices of one or more lists, by name.
struct PriceTable: Sendable {
    struct Match: Sendable {
        let price: ModelPrice
        /// Of the name's cross-region prefix.
        let region: String?
    }

    /// Each goes before those in front of it: the lists one after the other, then what is for one tenant in any.
    private let layers: [PriceLayer]

    /// - Parameter files: what is in a later one goes before what is in an earlier one.
    init(_ files: [PriceFile]) {
        let lists = files.map { file in file.models.filter { $0.tenant == nil } }
        let tenants = files.reversed().flatMap { file in file.models.filter { $0.tenant != nil } }
        layers = (lists + [tenants]).filter { !$0.isEmpty }.map(PriceLayer.init)
    }

    /// The price of a model for a tenant at a time.
    ///
    /// What goes before a row that was found may know the model by the names that were tried until then, and by the
    /// row's own: a price of `gpt-4o` is one of what a list has as its alias, and not of what a list keeps apart.
    func match(_ name: ModelName, tenant: String, at time: Timestamp) -> Match? {
        var match: Match?
        var tried = name.candidates[...]
        var rows: [ModelName.Candidate] = []
        for layer in layers {
            let names = Array(tried) + rows
            guard let (place, price) = layer.first(of: names, tenant: tenant, at: time) else { continue }
            match = Match(price: price, region: names[place].region)
            tried = tried.prefix(place + 1)
            rows.append(
                ModelName.Candidate(provider: price.provider, model: price.model, region: names[place].region))
        }
        return match
    }
}
