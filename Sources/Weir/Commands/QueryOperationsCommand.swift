import ArgumentParser

/// `weir query operations`
struct QueryOperationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operations", abstract: "Lists what services do, the busiest first.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("Only of this service.", valueName: "service"))
    var service: String?

    private static let columns: [TextTable.Column] = [
        .init(title: "SERVICE", isFlexible: true), .init(title: "NAME", isFlexible: true), .init(title: "KIND"),
        .init(title: "OPERATION"), .init(title: "SPANS", isNumber: true), .init(title: "ERRORS", isNumber: true),
        .init(title: "LAST SEEN"),
    ]

    func run() async throws {
        var query = OperationsQuery(options.tenant, in: window.window())
        query.service = service
        try await options.run(query, Self.columns) { row in
            [
                row.key.service, row.key.name, FoundSpan.name(ofKind: row.key.kind),
                OperationKind.name(of: row.key.operation), "\(row.spans)", "\(row.errors)",
                ShortText.minute(row.lastSeen),
            ]
        }
    }
}
