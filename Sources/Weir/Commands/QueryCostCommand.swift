import ArgumentParser

/// `weir query cost`
struct QueryCostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cost", abstract: "Prints what calls of models cost, by the ledger, the dearest first.",
        discussion: "A cost that is not known is -, never 0. The sums of sources are parts of the cost.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Option(
        help: ArgumentHelp(
            "What a row is for.", valueName: CostQuery.Dimension.allCases.map(\.rawValue).joined(separator: "|")))
    var by = CostQuery.Dimension.model

    @Option(
        help: ArgumentHelp("A row for each step, such as 1h; whole seconds.", valueName: "duration"),
        transform: DurationOption.read)
    var step: Duration?

    @Option(help: ArgumentHelp("Of this trace only; with --by span, its steps.", valueName: "id"))
    var trace: String?

    @Flag(help: "Of all tenants, in place of one.") var allTenants = false

    func run() async throws {
        var query = CostQuery(allTenants ? .all : .one(options.tenant), by: by, in: window.window())
        query.step = step
        if let trace {
            guard let id = TraceID(trace) else {
                throw ValidationError("found trace \(trace.quotedForMessage), wanted 32 hexadecimal digits")
            }
            query.trace = id
            query.window = window.given(at: .now()) ?? .always
        }
        let columns =
            (step == nil ? [] : [TextTable.Column(title: "FROM")])
            + [.init(title: by.rawValue.uppercased(), isFlexible: true)]
            + ["CALLS", "UNPRICED", "INPUT", "OUTPUT", "CACHED", "COST IN USD", "TABLE", "PROVIDER", "ESTIMATE"].map {
                TextTable.Column(title: $0, isNumber: true)
            }
        try await options.run(query, columns) { row in
            let numbers = [row.calls, row.unpriced, row.inputTokens, row.outputTokens, row.cacheReadTokens]
            let sources = [row.byTable, row.byProvider, row.byEstimate]
            return (row.key.start.map { [ShortText.minute($0)] } ?? []) + [row.key.who ?? "-"]
                + numbers.map { "\($0)" } + [row.cost ?? "-"] + sources.map { $0 == 0 ? "-" : $0.inDollars }
        }
        try options.noteMissingPrices()
    }
}

extension CostQuery.Dimension: ExpressibleByArgument {}
