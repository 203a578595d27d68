/// The keys of the processor `cost`.
struct CostConfiguration {
    static let maximumBudgets = 100

    let table: PriceTable
    let budgets: [Budget]
    let webhook: BudgetWebhook?

    /// Without budgets.
    init(_ table: PriceTable) {
        (self.table, budgets, webhook) = (table, [], nil)
    }
}

extension CostConfiguration: Configurable {
    var traits: ProcessorTraits { budgets.isEmpty ? .prices : [.prices, .hasBudgets] }

    init(_ fields: inout Fields) throws(ConfigError) {
        let prices = fields.file(
            "prices", default: "prices.yaml", "The price list; the one that comes with Weir is prices.yaml.",
            PriceFile.init)
        let overrides = fields.file(
            "overrides", default: nil, "A list of one's own prices, which go before the others.", PriceFile.init)
        table = PriceTable([prices, overrides].compactMap(\.self))
        let budgets = fields.list("budgets", count: 0...Self.maximumBudgets, "What may be spent in a time.") {
            Budget(&$0)
        }
        let spikes = fields.optionalSection("spikes", "Says where a tenant spends more than before.") {
            Budget(spikes: &$0)
        }
        self.budgets = budgets + [spikes].compactMap(\.self)
        webhook = fields.optionalSection("budget_webhook", "Who is told of budgets and spikes.") { BudgetWebhook(&$0) }
        let names = self.budgets.map(\.name)
        if Set(names).count < names.count { fields.reject("budgets", "found two of one name, wanted a name for each") }
        if webhook != nil, names.isEmpty {
            fields.reject("budget_webhook", "found no budget, wanted budgets or spikes")
        }
    }
}
