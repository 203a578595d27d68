import ArgumentParser

/// `weir prices`
struct PricesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "Looks into the price list.", subcommands: [PricesMatchCommand.self])
}
