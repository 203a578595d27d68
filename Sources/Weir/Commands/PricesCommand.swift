import ArgumentParser

/// `weir prices`
struct PricesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "Looks into price lists, and corrects what was priced by another one.",
        subcommands: [PricesMatchCommand.self, PricesDiffCommand.self, PricesRepriceCommand.self])

    static func list(
        _ file: String, _ read: (inout Fields) -> PriceFile = { PriceFile(&$0) }
    ) throws -> PriceFile {
        var fields = Fields([], file: file)
        let list = fields.file("prices", default: file, "", read)
        guard let list, !fields.diagnostics.hasErrors else {
            throw ValidationError(fields.diagnostics.lines.joined(separator: "\n"))
        }
        return list
    }
}
