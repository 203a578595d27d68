import ArgumentParser

/// `weir archive stat`
struct ArchiveStatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Prints how much an archive holds of each tenant and day.")

    @OptionGroup var options: ArchiveOptions

    func run() async throws {
        var isComplete = true
        try await options.withCatalog { catalog, _ in
            let table = try Self.table(of: catalog) { found in
                guard case .broken(let path) = found else { return }
                StandardError.note("\(path): found no manifest that can be read")
                isComplete = false
            }
            try StandardOutput.write(table)
        }
        guard isComplete else { throw ExitCode.failure }
    }

    private struct Key: Hashable {
        let tenant: String
        let date: String
    }

    private struct Sum {
        var files = 0
        var spans = 0
        var bytes = 0
    }

    /// - Parameter others: is given what is not counted.
    static func table(of catalog: ArchiveCatalog, others: (ArchiveCatalog.Found) -> Void = { _ in }) throws -> String {
        var sums: [Key: Sum] = [:]
        try catalog.visit { found in
            guard case .manifest(let manifest, let path, _) = found else { return others(found) }
            let date = path.split(separator: "/").first { $0.hasPrefix("date=") }?.dropFirst("date=".count) ?? ""
            let key = Key(tenant: manifest.tenant, date: date == ArchivePartition.null ? "" : String(date))
            sums[key, default: Sum()].files += manifest.files.count
            sums[key, default: Sum()].spans += manifest.spans.spans
            sums[key, default: Sum()].bytes += manifest.files.reduce(0) { $0 + $1.bytes }
        }
        var table = TextTable([
            TextTable.Column(title: "TENANT", isFlexible: true), TextTable.Column(title: "DATE"),
            TextTable.Column(title: "FILES", isNumber: true), TextTable.Column(title: "SPANS", isNumber: true),
            TextTable.Column(title: "BYTES", isNumber: true),
        ])
        for (key, sum) in sums.sorted(by: { ($0.key.tenant, $0.key.date) < ($1.key.tenant, $1.key.date) }) {
            table.add([key.tenant, key.date, "\(sum.files)", "\(sum.spans)", "\(sum.bytes)"])
        }
        return table.text
    }
}
