import ArgumentParser

/// `weir query usage`
struct QueryUsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Prints what calls of models used and cost, the dearest first.",
        discussion: "A call whose cost is not known is counted as unpriced, never as free.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Option(help: ArgumentHelp("What a row is for.", valueName: "tenant|user|model|agent"))
    var by: UsageQuery.Dimension

    @Option(
        help: ArgumentHelp("A row for each step, such as 1h; whole seconds.", valueName: "duration"),
        transform: DurationOption.read)
    var step: Duration?

    func run() async throws {
        var query = UsageQuery(options.tenant, by: by, in: window.window())
        query.step = step
        let columns =
            (step == nil ? [] : [TextTable.Column(title: "FROM")])
            + [.init(title: by.rawValue.uppercased(), isFlexible: true)]
            + ["CALLS", "ERRORS", "INPUT", "OUTPUT", "CACHED", "COST IN USD", "UNPRICED"].map {
                TextTable.Column(title: $0, isNumber: true)
            }
        try await options.run(query, columns) { row in
            let numbers = [row.calls, row.errors, row.inputTokens, row.outputTokens, row.cacheReadTokens]
            return (row.key.start.map { [ShortText.minute($0)] } ?? []) + [row.key.who ?? "-"]
                + numbers.map { "\($0)" } + [row.cost ?? "-", "\(row.unpricedCalls)"]
        }
    }
}

extension UsageQuery.Dimension: ExpressibleByArgument {}
