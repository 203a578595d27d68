import ArgumentParser

/// `weir query`
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Asks the hot tables: one trace, the slow spans, the failing ones, what a model cost.",
        discussion: "Only reads, and may be used while Weir runs. docs/queries.md has examples.",
        subcommands: [
            QueryTraceCommand.self, QuerySearchCommand.self, QueryServicesCommand.self, QueryOperationsCommand.self,
            QueryLatencyCommand.self, QueryCostCommand.self, QueryUnpricedCommand.self,
        ])
}

/// What every query is given.
struct QueryOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("Whose spans.", valueName: "name"), transform: { Tenant($0) })
    var tenant = Tenant("default")

    @Option(
        help: ArgumentHelp("How many rows at most; the default and the maximum depend on the query.", valueName: "rows")
    )
    var limit: Int?

    @Option(
        help: ArgumentHelp("How long to wait for the answer; 30s where nothing is said.", valueName: "duration"),
        transform: DurationOption.read)
    var timeout: Duration?

    /// Asks the store.
    func page<Query: StoreQuery>(_ query: Query) async throws -> Page<Query.Row> {
        let reader = try store.reader(timeout.map { TimeLimit(duration: $0) } ?? .default)
        var query = query
        if let limit { query.limit = limit }
        do {
            return try await reader.page(query)
        } catch let error as QueryError {
            if case .invalid(let reason) = error { throw ValidationError(reason) }
            throw error
        }
    }

    /// Asks, and prints what came.
    func run<Query: StoreQuery>(
        _ query: Query, _ columns: [TextTable.Column], _ cells: (Query.Row) -> [String]
    ) async throws where Query.Row: JSONRow {
        try show(try await page(query), query, columns, cells)
    }

    /// Says that nothing came, and where it may be.
    func noteNothing(_ what: String) {
        StandardError.note("\(what); it is tenant \(tenant.name.quotedForMessage) that --tenant names")
        let waiting = (try? store.backlogs())?.values.reduce(0) { $0 + $1.load.spans } ?? 0
        if waiting > 0 { StandardError.note("\(waiting.of("span")) in the journal, on the way to the tables") }
    }

    private static func text(_ window: TimeWindow) -> String {
        let start = window.from.nanoseconds > 0 ? " from \(window.from.text.prefix(19))Z on" : ""
        let end = window.to.map { " before \($0.text.prefix(19))Z" } ?? ""
        return start + end + (start + end == "" ? "" : ", which --since, --from and --to change")
    }

    /// Says so where nobody works out what calls cost, so that none of them can have a price.
    func noteMissingPrices() throws {
        let configuration = try store.option.read().configuration
        let used = configuration.service.pipelines.flatMap(\.processors)
        guard !used.contains(where: { $0.type == CostProcessor.type }) else { return }
        StandardError.note("no pipeline has a cost processor, so only what senders say is a cost: docs/cost.md")
    }

    func show<Query: StoreQuery>(
        _ page: Page<Query.Row>, _ query: Query, _ columns: [TextTable.Column], _ cells: (Query.Row) -> [String]
    ) throws where Query.Row: JSONRow {
        switch store.format {
        case .json: try StandardOutput.write(page.rows.map { $0.json + "\n" }.joined())
        case .table:
            var table = TextTable(columns)
            for row in page.rows { table.add(cells(row)) }
            try StandardOutput.write(table.text)
        }
        if page.rows.isEmpty { noteNothing("found nothing of that\(Self.text(query.window))") }
        if let next = (page as? Page<FoundSpan>)?.next {
            StandardError.note("there are more: --after \(next.text)")
        } else if page.hasMore {
            StandardError.note("there are more: --limit gives up to \(Query.limits.maximum)")
        }
    }
}

/// Which starts of spans a query is about.
struct WindowOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "From so long ago until now, such as 15m; 24h where nothing is said.", valueName: "duration"),
        transform: DurationOption.read)
    var since: Duration?

    @Option(
        help: ArgumentHelp("From this time on, such as 2026-02-03T04:05:06Z or 2026-02-03.", valueName: "time"),
        transform: TimeOption.read)
    var from: Timestamp?

    @Option(help: ArgumentHelp("Until before this time.", valueName: "time"), transform: TimeOption.read)
    var to: Timestamp?

    func validate() throws {
        guard since == nil || from == nil else { throw ValidationError("found --since and --from, wanted one of them") }
    }

    /// Nil where nothing is said.
    func given(at now: Timestamp) -> TimeWindow? {
        guard since != nil || from != nil || to != nil else { return nil }
        return window(at: now)
    }

    func window(at now: Timestamp = .now()) -> TimeWindow {
        if let from { return TimeWindow(from: from, to: to) }
        // The length before the end, whichever that is.
        var window = TimeWindow(last: since ?? TimeWindow.defaultLength, before: to ?? now)
        window.to = to
        return window
    }
}
