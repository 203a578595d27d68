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
            let looks = try await search.catalog.looks(into: date, again: { try await copy?.fetchAgain(date) }) {
                await look(search, into: $0, copy)
            }
            for (entry, look) in looks {
                all += 1
                let path = path(of: entry)
                switch look {
                case .passedOver: continue
                case .found(let found):
                    opened += 1
                    guard let found else { continue }
                    let start = Timestamp(nanoseconds: found.start).text.prefix(19)
                    try StandardOutput.write("\(found.spans) \(start)Z \(TextTable.harmless(path))\n")
                case .left(let reason):
                    StandardError.note("\(path): may have spans, and is not looked into: \(reason)")
                    isComplete = false
                case nil:
                    StandardError.note("\(path): may have spans, and is missing")
                    isComplete = false
                }
            }
        }
        StandardError.note("looked into \(opened) of \(all.of("file"))")
        return isComplete
    }

    // MARK: A day

    private enum Look {
        /// The filter says that it has nothing.
        case passedOver
        /// Nil where it has nothing.
        case found(ArchiveSearch.Found?)
        case left(reason: String)
    }

    private static func path(of entry: ArchiveCatalog.Found) -> String {
        switch entry {
        case .broken(let path), .unlisted(let path): path
        case .manifest(let manifest, _, _), .away(let manifest, _, _): manifest.files.first?.path ?? ""
        }
    }

    /// - Returns: nil where its files are not there.
    private static func look(
        _ search: ArchiveSearch, into entry: ArchiveCatalog.Found, _ copy: BucketCopy?
    ) async -> Look? {
        let manifest: ArchiveManifest
        var isAway = false
        switch entry {
        case .broken: return .left(reason: "found no manifest that can be read")
        case .unlisted: return .left(reason: "found no manifest beside it")
        case .manifest(let own, _, _): manifest = own
        case .away(let own, _, _): (manifest, isAway) = (own, true)
        }
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
        } catch let error where ArchiveCatalog.isGone(error) {
            return nil
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
