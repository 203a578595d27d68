import ArgumentParser

/// `weir archive find`
struct ArchiveFindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Finds the files of an archive that have spans of a trace.",
        discussion: """
            A line for each file: how many spans it has of the trace, when the first of them started, its path. The \
            filters beside the manifests are read, and then the files that may have the trace; how many these are is \
            said at the end. Exits 1 where a file could not be looked into, after all others were.
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
        var dates: [ArchiveCatalog.Date] = []
        try search.catalog.dates { dates.append($0) }
        var (isComplete, opened, all) = (true, 0, 0)
        for date in dates {
            for (path, look) in try await looks(search, in: date, copy) {
                all += 1
                switch look {
                case .passedOver: continue
                case .found(let found):
                    opened += 1
                    guard let found else { continue }
                    let start = Timestamp(nanoseconds: found.start).text.prefix(19)
                    try StoreOptions.write("\(found.spans) \(start)Z \(TextTable.harmless(path))\n")
                case .left(let reason):
                    StoreOptions.note("\(path): may have spans, and is not looked into: \(reason)")
                    isComplete = false
                case .missing:
                    StoreOptions.note("\(path): may have spans, and is missing")
                    isComplete = false
                }
            }
        }
        StoreOptions.note("looked into \(opened) of \(all.of("file"))")
        return isComplete
    }

    // MARK: A day

    private enum Look {
        /// The filter says that it has nothing.
        case passedOver
        /// Nil where it has nothing.
        case found(ArchiveSearch.Found?)
        case left(reason: String)
        case missing
    }

    private static let maxLooks = 5

    /// What is merged or expires meanwhile is looked for again, in what has its spans now.
    private static func looks(
        _ search: ArchiveSearch, in date: ArchiveCatalog.Date, _ copy: BucketCopy?
    ) async throws -> [(path: String, look: Look)] {
        var found: [(path: String, look: Look)] = []
        // By the SHA-256 of the manifest.
        var known: [String: Look] = [:]
        for number in 1...maxLooks {
            found = []
            var isSteady = true
            for entry in try search.catalog.found(in: date) {
                switch entry {
                case .broken(let path): found.append((path, .left(reason: "found no manifest that can be read")))
                case .unlisted(let path): found.append((path, .left(reason: "found no manifest beside it")))
                case .manifest(let manifest, _, let bytes), .away(let manifest, _, let bytes):
                    let hash = ArchiveManifest.hash(bytes)
                    var look = known[hash] ?? .missing
                    if case .missing = look {
                        let isAway = if case .away = entry { true } else { false }
                        look = await Self.look(search, into: manifest, isAway: isAway, copy)
                        // Where its manifest is still there at the next look, it is missing.
                        if case .missing = look, known[hash] == nil { isSteady = false }
                        known[hash] = look
                    }
                    found.append((manifest.files.first?.path ?? "", look))
                }
            }
            if isSteady || number == maxLooks { break }
            try await copy?.fetchManifestsAgain()
        }
        return found
    }

    private static func look(
        _ search: ArchiveSearch, into manifest: ArchiveManifest, isAway: Bool, _ copy: BucketCopy?
    ) async -> Look {
        let path = manifest.files.first?.path ?? ""
        defer { try? copy?.drop(path) }
        do {
            guard await mayHave(manifest, search, copy) else { return .passedOver }
            if isAway { return .left(reason: "only the bucket has it, and --directory s3://… says it") }
            if let problem = search.catalog.keys.problem(manifest, in: search.catalog.root) {
                return .left(reason: "it does not open: \(problem.rawValue)")
            }
            try await copy?.fetch(path)
            return .found(try search.look(into: manifest))
        } catch let error as ObjectStorageError where error.isMissing {
            return .missing
        } catch let error as FileError where error.isMissing {
            return .missing
        } catch let error as FileError where error.isDamage {
            return .left(reason: error.unreadable?.rawValue ?? "it is damaged")
        } catch {
            return .left(reason: "\(error)")
        }
    }

    /// Without a filter that can be read, the file says it.
    private static func mayHave(
        _ manifest: ArchiveManifest, _ search: ArchiveSearch, _ copy: BucketCopy?
    ) async -> Bool {
        guard let bloom = manifest.bloom else { return true }
        try? await copy?.fetch(bloom.path)
        defer { try? copy?.drop(bloom.path) }
        return (try? search.mayHave(manifest)) ?? true
    }
}
