import ArgumentParser

/// `weir archive ls`
struct ArchiveListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists the files of an archive, by their manifests.")

    @OptionGroup var options: ArchiveOptions

    @Flag(help: "The manifests themselves, one a line.")
    var json = false

    func run() async throws {
        var isComplete = true
        func note(_ found: ArchiveCatalog.Found) {
            guard case .broken(let path) = found else { return }
            StandardError.note("\(path): found no manifest that can be read")
            isComplete = false
        }
        try await options.withCatalog { catalog, _ in
            guard json else {
                return try StandardOutput.write(try Self.table(of: catalog, others: note))
            }
            try catalog.visit { found in
                if case .manifest(_, _, let bytes) = found { try StandardOutput.write(bytes) } else { note(found) }
            }
        }
        guard isComplete else { throw ExitCode.failure }
    }

    /// - Parameter others: is given what is not in it.
    static func table(of catalog: ArchiveCatalog, others: (ArchiveCatalog.Found) -> Void = { _ in }) throws -> String {
        var table = TextTable([
            TextTable.Column(title: "SPANS", isNumber: true), TextTable.Column(title: "BYTES", isNumber: true),
            TextTable.Column(title: "FIRST START"), TextTable.Column(title: "FILE", isFlexible: true),
        ])
        try catalog.visit { found in
            guard case .manifest(let manifest, _, _) = found else { return others(found) }
            let start = manifest.spans.times.map { Timestamp(nanoseconds: $0.lowerBound).text.prefix(19) + "Z" }
            for file in manifest.files {
                table.add(["\(file.rows)", "\(file.bytes)", start.map { String($0) } ?? "", file.path])
            }
        }
        return table.text
    }
}
