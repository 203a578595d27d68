import ArgumentParser

/// `weir store migrate`
struct StoreMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Makes the tables, or brings them to what this Weir knows. An exporter does that by itself.",
        discussion: "May be used while Weir runs: nothing that is written waits longer than a second for it.")

    @OptionGroup var options: StoreOptions

    func run() async throws {
        _ = try options.option.readToWrite()
        switch try options.place() {
        case .sqlite(let directory):
            let steps = try SQLiteMigrations.apply(directory: directory.path)
            for step in steps { try StandardOutput.write("\(step.file): applied \(step.version), \(step.name)\n") }
            if steps.isEmpty { try StandardOutput.write("nothing to do\n") }
        case .postgres(let address, let schema):
            let connection = try PostgresSession.open(address, schema: schema)
            let count = try PostgresMigrations.apply(on: connection)
            try StandardOutput.write(count == 0 ? "nothing to do\n" : "schema \(schema): applied \(count)\n")
        }
    }
}
