import ArgumentParser

/// `weir query latency`
struct QueryLatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency", abstract: "Prints how often operations fail and how long they take.",
        discussion: "Percentiles come from histograms, and are off by at most 6.25 %. Windows are of whole minutes.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("Only of this service.", valueName: "service"))
    var service: String?

    @Option(help: ArgumentHelp("Only of this name.", valueName: "name"))
    var name: String?

    @Option(
        help: ArgumentHelp("A row for each step, such as 5m; whole minutes.", valueName: "duration"),
        transform: DurationOption.read)
    var step: Duration?

    private static let columns: [TextTable.Column] = [
        .init(title: "SERVICE", isFlexible: true), .init(title: "NAME", isFlexible: true),
        .init(title: "SPANS", isNumber: true), .init(title: "ERRORS", isNumber: true),
        .init(title: "MEAN", isNumber: true), .init(title: "P50", isNumber: true), .init(title: "P95", isNumber: true),
        .init(title: "P99", isNumber: true),
    ]

    func run() async throws {
        var query = LatencyQuery(options.tenant, in: window.window())
        query.service = service
        query.name = name
        query.step = step
        let columns = (step == nil ? [] : [TextTable.Column(title: "FROM")]) + Self.columns
        try await options.run(query, columns) { row in
            (row.key.start.map { [ShortText.minute($0)] } ?? [])
                + [row.key.service, row.key.name, "\(row.spans)", ShortText.percent(row.errorRate)]
                + [row.mean, row.quantile(0.5), row.quantile(0.95), row.quantile(0.99)].map { ShortText.duration($0) }
        }
    }
}
