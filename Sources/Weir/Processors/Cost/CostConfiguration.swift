/// The keys of the processor `cost`.
struct CostConfiguration {
    static let maximumBudgets = 100

    let table: PriceTable
    /// Those with prices of their own.
    private var pricedTenants: Set<String> = []
    /// What a user's own attributes mean.
    var mappings: [AttributeMapping] = []
    var estimates = false
    /// Names of others under which the cost is written as well.
    var alsoWrites: Set<OtherCostNames> = []
    let budgets: [Budget]
    let webhook: BudgetWebhook?

    /// Without budgets.
    init(_ table: PriceTable) {
        (self.table, budgets, webhook) = (table, [], nil)
    }
}

extension CostConfiguration: Configurable {
    var traits: ProcessorTraits { budgets.isEmpty ? .prices : [.prices, .hasBudgets] }

    /// What a price cannot do without, and what stands for it.
    var askedKeys: [AttributeKey] {
        let usage: [GenAIAttribute] = [
            .provider, .requestModel, .responseModel, .inputTokens, .outputTokens, .totalTokens,
        ]
        return usage.flatMap(\.keys).map { AttributeKey($0) } + mappings.flatMap(\.from)
    }

    var budgetNames: [String] { budgets.map(\.name) }

    var namedTenants: Set<String> { pricedTenants.union(budgets.compactMap(\.tenant)) }

    var countedKeys: [(what: String, keys: [AttributeKey])] {
        budgets.compactMap { budget in
            let attributes: [GenAIAttribute] =
                switch budget.scope {
                case .user: [.user]
                case .agent: [.agent]
                case .model: [.requestModel, .responseModel]
                case .tenant, .run: []
                }
            guard !attributes.isEmpty else { return nil }
            return ("the budget \(budget.name.quotedForMessage)", attributes.flatMap(\.keys).map { AttributeKey($0) })
        }
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        let prices = fields.file(
            "prices", default: "prices.yaml", "The price list; the one that comes with Weir is prices.yaml.",
            PriceFile.init)
        let overrides = fields.file(
            "overrides", default: nil, "A list of one's own prices, which go before the others.", PriceFile.own)
        let files = [prices, overrides].compactMap(\.self)
        table = PriceTable(files)
        pricedTenants = Set(files.flatMap(\.models).compactMap(\.tenant))
        mappings = fields.list("mappings", count: 0...100, "What attributes of one's own mean.") {
            AttributeMapping(&$0)
        }
        estimates = fields.bool(
            "estimate", default: false, "Prices calls that do not say what they used by the length of their content.")
        alsoWrites = Set(
            fields.parsedList("also_write", count: 0...2, "Under which other names the cost is written as well.") {
                (text) throws(ConfigError) in
                guard let names = OtherCostNames(rawValue: text) else {
                    let known = OtherCostNames.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ConfigError(found: text.quotedForMessage, wanted: "one of \(known)")
                }
                return names
            })
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
