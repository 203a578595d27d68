import ArgumentParser

/// `weir keys audit`
struct KeysAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Prints who used keys, for what and when, the newest first.")

    @OptionGroup var options: KeysOptions

    @Option(help: ArgumentHelp("Entries that are printed at most.", valueName: "count"))
    var limit = 100

    func run() async throws {
        let limit = limit
        let entries = try await options.ring().store.run { database throws(KeyError) in
            try database.audits(limit: max(1, limit))
        }
        var table = TextTable([
            .init(title: "time"), .init(title: "who"), .init(title: "what"), .init(title: "of", isFlexible: true),
        ])
        for entry in entries {
            let time = CalendarTime(entry.at)
            table.add(["\(time.date) \(time.time)", entry.actor, entry.action, entry.detail])
        }
        try StandardOutput.write(table.text)
    }
}
