import ArgumentParser

/// `weir keys list`
struct KeysListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints the data keys, and the ids of the key encryption keys.")

    @OptionGroup var options: KeysOptions

    @Option(help: ArgumentHelp("Only those of this tenant.", valueName: "name"))
    var tenant: String?

    @Option(help: ArgumentHelp("Data keys that are printed at most.", valueName: "count"))
    var limit = 1_000

    func run() async throws {
        let ring = try options.ring()
        if let problem = ring.problem { StandardError.note("\(problem)") }
        for (index, key) in ring.encryptionKeys.keys.enumerated() {
            try StandardOutput.write("key encryption key \(key.id)\(index == 0 ? ", primary" : "")\n")
        }
        var table = TextTable([
            .init(title: "key"), .init(title: "tenant", isFlexible: true), .init(title: "class"),
            .init(title: "algorithm"), .init(title: "day"), .init(title: "of"), .init(title: "wrapped by"),
            .init(title: "destroyed"),
        ])
        var count = 0
        try await KeysOptions.visit(ring) { rows in
            for row in rows where tenant == nil || row.tenant == tenant {
                count += 1
                guard count <= limit else { continue }
                table.add([
                    row.id.keyID, row.tenant, row.keyClass.name, row.suite.name, row.day.text,
                    row.subject.isEmpty ? "tenant" : "person \(row.subject.hexadecimal.prefix(8))", row.wrappedBy,
                    row.destroyedAt.map { Day($0).text } ?? "",
                ])
            }
        }
        try StandardOutput.write(table.text)
        if count > limit { StandardError.note("and \(count - limit) more, wanted a larger --limit") }
    }
}
