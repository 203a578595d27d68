import ArgumentParser

/// `weir query unpriced`
struct QueryUnpricedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpriced", abstract: "Prints the models whose calls have no price, and when they were seen.",
        discussion:
            "`weir prices match MODEL` says why; once the list has them, `weir prices reprice` prices the calls.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Flag(help: "Of all tenants, in place of one.") var allTenants = false

    func run() async throws {
        let query = UnpricedQuery(allTenants ? .all : .one(options.tenant), in: window.window())
        let columns: [TextTable.Column] = [
            .init(title: "MODEL", isFlexible: true), .init(title: "PROVIDER", isFlexible: true),
            .init(title: "STATUS"), .init(title: "CALLS", isNumber: true), .init(title: "FIRST SEEN"),
            .init(title: "LAST SEEN"),
        ]
        try await options.run(query, columns) { row in
            [
                row.key.model ?? "-", row.key.provider ?? "-", row.key.status, "\(row.calls)",
                ShortText.minute(row.firstSeen), ShortText.minute(row.lastSeen),
            ]
        }
        try options.noteMissingPrices()
    }
}
