import ArgumentParser

/// `weir store status`
struct StoreStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Prints the days that the tables hold, their sizes, and which records they have.")

    @OptionGroup var options: StoreOptions

    func run() async throws {
        var status =
            switch try options.place() {
            case .sqlite(let directory): StoreStatus(try SQLiteStatus.read(directory: directory.path))
            case .postgres(let address, let schema):
                StoreStatus(try PostgresStatus(of: PostgresSession.open(address, schema: schema)))
            }
        status.note(try options.kept(status.days.map(\.day), at: .now()))
        switch options.format {
        case .json: try StoreOptions.write(status.json + "\n")
        case .table: try StoreOptions.write(status.text)
        }
    }
}
