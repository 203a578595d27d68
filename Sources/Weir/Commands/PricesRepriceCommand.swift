import ArgumentParser

/// `weir prices reprice`
struct PricesRepriceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reprice",
        abstract:
            "Prints what calls of some days would cost by today's price lists; with --apply, corrects the ledger.",
        discussion: """
            Nothing in the ledger is changed: an entry takes back the old price, another has the new one. May be used \
            while Weir runs. What the lists know nothing of keeps its price.
            """)

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("From this time on.", valueName: "time"), transform: TimeOption.read)
    var from: Timestamp

    @Option(help: ArgumentHelp("Until before this time.", valueName: "time"), transform: TimeOption.read)
    var to: Timestamp

    @Option(help: ArgumentHelp("Whose calls; all tenants' where nothing is said.", valueName: "name"))
    var tenant: String?

    @Option(help: ArgumentHelp("The cost processor whose lists count, where there are several.", valueName: "id"))
    var processor: String?

    @Flag(help: "Writes the corrections; without, nothing is written.") var apply = false

    /// What becomes of the calls of a model.
    private struct Change {
        var spans = 0
        /// Nil where none had a price.
        var before: Int128?
        var after: Int128 = 0
    }

    func run() async throws {
        guard from < to else {
            throw ValidationError("found --from \(from.text) and --to \(to.text), wanted an end after the beginning")
        }
        let repricing = Repricing(table: try table())
        if apply { _ = try store.option.readToWrite() }
        let place = try store.tables()
        let reader = place.reader(TimeLimit(duration: .seconds(300)))
        var changes: [String: Change] = [:]
        var written = 0
        for number in Day(from).number...Day(Timestamp(nanoseconds: to.nanoseconds - 1)).number {
            let day = Day(number: number)
            var query = StandingCostQuery(
                tenant.map { .one(Tenant($0)) } ?? .all,
                in: TimeWindow(from: max(from, day.start), to: min(to, (day + 1).start)))
            var hasMore = true
            while hasMore {
                let page = try await reader.page(query)
                let repriced = page.rows.compactMap(repricing.reprice)
                for row in repriced {
                    let old = row.standing.price ?? row.standing.source ?? "unpriced"
                    let key = "\(row.standing.model ?? "-")\u{0}\(old)\u{0}\(row.price)"
                    changes[key, default: Change()].spans += 1
                    if let pico = row.standing.pico {
                        changes[key, default: Change()].before = (changes[key]?.before ?? 0) + Int128(pico)
                    }
                    changes[key, default: Change()].after += Int128(row.pico)
                }
                if apply, !repriced.isEmpty { written += try await place.costRewriter.write(repriced) }
                query.after = page.rows.last?.key
                hasMore = page.hasMore
            }
        }
        try show(changes)
        let corrected = "corrected \(written.of("span"))"
        StandardError.note(apply ? corrected : "nothing was written: --apply corrects the ledger")
    }

    private func show(_ changes: [String: Change]) throws {
        let rows = changes.sorted { $0.key < $1.key }.map { key, change in
            (names: key.split(separator: "\u{0}", omittingEmptySubsequences: false).map(String.init), change: change)
        }
        if store.format == .json {
            return try StandardOutput.write(
                rows.map { row in
                    var line = JSONLine()
                    line.add("model", row.names[0])
                    line.add("old_price", row.names[1])
                    line.add("price", row.names[2])
                    line.add("spans", Int64(row.change.spans))
                    line.add("cost_before", row.change.before?.inDollars)
                    line.add("cost_after", row.change.after.inDollars)
                    return line.line + "\n"
                }.joined())
        }
        var table = TextTable(
            [
                TextTable.Column(title: "MODEL", isFlexible: true), .init(title: "OLD PRICE", isFlexible: true),
                .init(title: "PRICE", isFlexible: true),
            ] + ["SPANS", "BEFORE", "AFTER", "DIFFERENCE"].map { TextTable.Column(title: $0, isNumber: true) })
        for row in rows {
            let (before, after) = (row.change.before, row.change.after)
            table.add(
                row.names + [
                    "\(row.change.spans)", before?.inDollars ?? "-", after.inDollars, (after - (before ?? 0)).inDollars,
                ])
        }
        try StandardOutput.write(table.text)
    }

    private func table() throws -> PriceTable {
        let found = try store.option.read().configuration.processors.compactMap { definition in
            (definition.configuration as? CostConfiguration).map { (id: "\(definition.id)", cost: $0) }
        }.filter { processor == nil || $0.id == processor }
        guard let first = found.first else {
            throw CommandFailure("found no cost processor in \(store.option.file), wanted one")
        }
        guard found.count == 1 else {
            throw CommandFailure("found several cost processors, wanted --processor with one of them")
        }
        return first.cost.table
    }
}
