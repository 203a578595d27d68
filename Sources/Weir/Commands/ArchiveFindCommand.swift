import ArgumentParser

/// `weir archive find`
struct ArchiveFindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Finds the files of an archive that have spans of a trace.",
        discussion: """
            A line for each file: how many spans it has of the trace, when the first of them started, its path. The \
            filters beside the manifests are read, and then the files that may have the trace; how many these are is \
            said at the end. Exits 1 where a file could not be looked into.
            """)

    @OptionGroup var options: ArchiveOptions

    @Argument(help: ArgumentHelp("Its id, 32 hexadecimal digits.", valueName: "trace"))
    var trace: String

    func run() async throws {
        guard let id = TraceID(trace) else {
            throw ValidationError("found trace \(trace.quotedForMessage), wanted 32 hexadecimal digits, not all zeros")
        }
        var isComplete = true
        try await options.withCatalog { catalog, copy in
            isComplete = try await Self.find(ArchiveSearch(trace: id, catalog: catalog), copy)
        }
        guard isComplete else { throw ExitCode.failure }
    }

    /// - Returns: whether every file was looked into that may have the trace.
    private static func find(_ search: ArchiveSearch, _ copy: BucketCopy?) async throws -> Bool {
        var manifests: [(manifest: ArchiveManifest, isAway: Bool)] = []
        try search.catalog.visit { found in
            switch found {
            case .manifest(let manifest, _, _): manifests.append((manifest, false))
            case .away(let manifest, _, _): manifests.append((manifest, true))
            case .broken, .unlisted: break
            }
        }
        var (isComplete, opened) = (true, 0)
        for (manifest, isAway) in manifests {
            let path = manifest.files.first?.path ?? ""
            if let bloom = manifest.bloom { try await copy?.fetch(bloom.path) }
            // Without a filter that can be read, the file says it.
            guard (try? search.mayHave(manifest)) ?? true else { continue }
            if isAway {
                StoreOptions.note("\(path): may have spans; only the bucket has it, and --directory s3://… says it")
                isComplete = false
                continue
            }
            if let problem = search.catalog.keys.problem(manifest, in: search.catalog.root) {
                StoreOptions.note("\(path): may have spans, and does not open: \(problem.rawValue)")
                isComplete = false
                continue
            }
            try await copy?.fetch(path)
            opened += 1
            if let found = try search.look(into: manifest) {
                let start = Timestamp(nanoseconds: found.start).text.prefix(19)
                try StoreOptions.write("\(found.spans) \(start)Z \(TextTable.harmless(path))\n")
            }
            try copy?.drop(path)
        }
        StoreOptions.note("looked into \(opened) of \(manifests.count.of("file"))")
        return isComplete
    }
}
