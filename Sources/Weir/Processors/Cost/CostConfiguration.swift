/// The keys of the processor `cost`.
struct CostConfiguration {
    let table: PriceTable
}

extension CostConfiguration: Configurable {
    var traits: ProcessorTraits { .prices }

    init(_ fields: inout Fields) throws(ConfigError) {
        let prices = fields.file(
            "prices", default: "prices.yaml", "The price list; the one that comes with Weir is prices.yaml.",
            PriceFile.init)
        let overrides = fields.file(
            "overrides", default: nil, "A list of one's own prices, which go before the others.", PriceFile.init)
        table = PriceTable([prices, overrides].compactMap(\.self))
    }
}
