import ArgumentParser

/// `weir query services`
struct QueryServicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services", abstract: "Lists the services that sent spans, with how many of them failed.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    private static let columns: [TextTable.Column] = [
        .init(title: "SERVICE", isFlexible: true), .init(title: "SPANS", isNumber: true),
        .init(title: "ERRORS", isNumber: true), .init(title: "LAST SEEN"),
    ]

    func run() async throws {
        try await options.run(ServicesQuery(options.tenant, in: window.window()), Self.columns) { row in
            [row.service, "\(row.spans)", "\(row.errors)", ShortText.minute(row.lastSeen)]
        }
    }
}
