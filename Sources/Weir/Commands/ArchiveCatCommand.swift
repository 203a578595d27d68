import ArgumentParser

/// `weir archive cat`
struct ArchiveCatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Prints the spans in files of OTLP, as OTLP/JSON, one message a line.",
        discussion: "Parquet is for other readers, such as DuckDB.")

    @OptionGroup var options: ArchiveOptions

    @Argument(help: ArgumentHelp("Files; all that the options select where none is named.", valueName: "file"))
    var files: [String] = []

    func run() async throws {
        guard files.isEmpty else { return try files.forEach(print) }
        try await options.withCatalog { catalog, copy in
            var paths: [String] = []
            try catalog.visit { found in
                guard case .manifest(let manifest, _, _) = found, manifest.format != .parquet else { return }
                paths += manifest.files.map(\.path)
            }
            for path in paths {
                try await copy?.fetch(path)
                try print("\(catalog.root)/\(path)")
                try copy?.drop(path)
            }
        }
    }

    private func print(_ path: String) throws {
        guard let reader = ArchiveFileReader(path) else {
            throw ValidationError("found \(path.quotedForMessage), wanted a file of otlp_json or otlp_proto")
        }
        var batch = Batch(decodedLimit: .max)
        var encoder = OTLPJSONEncoder()
        try reader.read(into: &batch) { batch in
            try StandardOutput.write(Array(encoder.bytes(of: batch)) + [UInt8(ascii: "\n")])
        }
    }
}
