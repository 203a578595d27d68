import ArgumentParser

/// `weir prices match`
struct PricesMatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match",
        abstract: "Prints which price a model has, and the names that were tried.",
        discussion: "Exits with 1 where no list has the model: its calls would be unpriced.")

    @Argument(help: "The model, as spans name it.") var model: String

    @Option(help: "The provider, as spans name it.") var provider: String?

    @Option(help: "Whose prices; those of one tenant go before those of all.") var tenant = "default"

    @Option(help: ArgumentHelp("The price list.", valueName: "file")) var prices = "prices.yaml"

    @Option(help: ArgumentHelp("A list of one's own prices.", valueName: "file")) var overrides: String?

    @Option(help: ArgumentHelp("When the call was made; now.", valueName: "time"), transform: TimeOption.read)
    var at: Timestamp?

    func run() throws {
        let own = try overrides.map { try PricesCommand.list($0, PriceFile.own) }
        let table = PriceTable([try PricesCommand.list(prices), own].compactMap(\.self))
        let name = ModelName(provider: provider, model: model)
        let match = table.match(name, tenant: tenant, at: at ?? .now())
        for candidate in name.candidates {
            try StandardOutput.write("tried \(candidate.provider ?? "any provider")/\(candidate.model)\n")
            if let match, candidate.model == match.price.model || match.price.aliases.contains(candidate.model) {
                break
            }
        }
        guard let match else {
            try StandardOutput.write("no list has it\n")
            throw ExitCode.failure
        }
        try StandardOutput.write("price \(match.price.id)\(match.region.map { ", region \($0)" } ?? "")\n")
        for unit in UsageUnit.allCases {
            guard let rate = match.price.rates[unit] else { continue }
            try StandardOutput.write("  \(unit.rawValue) \(Cost.text(rate)) USD\n")
        }
    }
}
