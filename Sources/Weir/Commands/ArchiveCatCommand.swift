import ArgumentParser

/// `weir archive cat`
struct ArchiveCatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Prints the spans in files of OTLP, as OTLP/JSON, one message a line.",
        discussion: """
            Parquet is for other readers, such as DuckDB; of that, what is sealed is printed here, since no other \
            reader can. Whatever is sealed is in the audit of the keystore before it is printed. Exits 1 if a file \
            could not be opened.
            """)

    private static let action = "archive cat"

    @OptionGroup var options: ArchiveOptions

    @Argument(help: ArgumentHelp("Files; all that the options select where none is named.", valueName: "file"))
    var files: [String] = []

    func run() async throws {
        guard files.isEmpty else {
            let keys = options.keys(auditing: Self.action)
            for path in files { try await print(path, keys) }
            return
        }
        var isComplete = true
        try await options.withCatalog(auditing: Self.action) { catalog, copy in
            var found: [(path: String, day: Day?)] = []
            try catalog.visit { entry in
                guard case .manifest(let manifest, _, _) = entry, let file = manifest.files.first,
                    manifest.format != .parquet || manifest.keyID != nil
                else { return }
                found.append((file.path, manifest.place?.day))
            }
            for (path, day) in found {
                try await copy?.fetch(path)
                do {
                    // A file may have hours that are not asked for.
                    try await print("\(catalog.root)/\(path)", catalog.keys) { catalog.isWanted(start: $0, on: day) }
                } catch let error as FileError where error.unreadable != nil {
                    StoreOptions.note("\(error)")
                    isComplete = false
                }
                try copy?.drop(path)
            }
        }
        guard isComplete else { throw ExitCode.failure }
    }

    /// - Parameter isWanted: asked when a span started.
    private func print(
        _ path: String, _ keys: ArchiveKeys?, where isWanted: ((UInt64) -> Bool)? = nil
    ) async throws {
        var batch = Batch(decodedLimit: .max)
        var encoder = OTLPJSONEncoder()
        func write(_ batch: inout Batch) throws {
            if let isWanted, !batch.spans.allSatisfy({ isWanted($0.startTime) }) {
                batch.select { isWanted($0.startTime) }
                guard batch.spanCount > 0 else { return }
            }
            try StandardOutput.write(Array(encoder.bytes(of: batch)) + [UInt8(ascii: "\n")])
        }
        if let reader = ArchiveFileReader(path, keys) {
            try reader.read(into: &batch) { try write(&$0) }
        } else if path.hasSuffix(ArchiveFormat.parquet.suffix(.none, isSealed: true)) {
            try ParquetMessages(path, keys).read(into: &batch) { batch, _, _, _ in try write(&batch) }
        } else {
            throw ValidationError("found \(path.quotedForMessage), wanted a file of otlp_json or otlp_proto")
        }
    }
}
