import ArgumentParser

/// `weir store status`
struct StoreStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints the days that the tables hold, their sizes, which records they have and what is behind.")

    @OptionGroup var options: StoreOptions

    func run() async throws {
        var status =
            switch try options.tables() {
            case .sqlite(let directory): StoreStatus(try SQLiteStatus.read(directory: directory.path))
            case .postgres(let address, let schema):
                StoreStatus(try PostgresStatus(of: PostgresSession.open(address, schema: schema)))
            }
        status.note(try options.kept(status.days.map(\.day), at: .now()))
        status.note(try options.backlogs())
        switch options.format {
        case .json: try StandardOutput.write(status.json + "\n")
        case .table: try StandardOutput.write(status.text)
        }
    }
}
