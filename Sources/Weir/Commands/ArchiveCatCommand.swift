import ArgumentParser

/// `weir archive cat`
struct ArchiveCatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Prints the spans in files of OTLP, as OTLP/JSON, one message a line.",
        discussion: """
            Parquet is for other readers, such as DuckDB; of that, what is sealed is printed here, since no other \
            reader can. Whatever is sealed is in the audit of the keystore before it is printed. Exits 1 if a file \
            could not be read, after all others were printed.
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
            var dates: [ArchiveCatalog.Date] = []
            try catalog.dates { dates.append($0) }
            for date in dates where try await !print(date, catalog, copy) { isComplete = false }
        }
        guard isComplete else { throw ExitCode.failure }
    }

    // MARK: A day

    private enum Look {
        case printed
        case left(reason: String)
    }

    /// - Returns: whether all of it was printed.
    private func print(
        _ date: ArchiveCatalog.Date, _ catalog: ArchiveCatalog, _ copy: BucketCopy?
    ) async throws -> Bool {
        // Journal and number of each manifest: what was printed may be merged with what was not.
        var printed: Set<String> = []
        let looks = try await catalog.looks(into: date, again: { try await copy?.fetchAgain(date) }) { found in
            try await look(found, catalog, copy, &printed)
        }
        var isComplete = true
        for (found, look) in looks {
            let path: String
            switch found {
            case .broken(let own), .unlisted(let own): path = own
            case .manifest(let manifest, _, _), .away(let manifest, _, _): path = manifest.files.first?.path ?? ""
            }
            let reason: String
            switch look {
            case .printed: continue
            case .left(let own): reason = own
            case nil: reason = "is missing, or not what its manifest says"
            }
            StandardError.note("\(path): is not printed: \(reason)")
            isComplete = false
        }
        return isComplete
    }

    private func look(
        _ found: ArchiveCatalog.Found, _ catalog: ArchiveCatalog, _ copy: BucketCopy?, _ printed: inout Set<String>
    ) async throws -> Look? {
        if case .broken = found { return .left(reason: "found no manifest that can be read") }
        guard case .manifest(let manifest, _, _) = found, let file = manifest.files.first,
            manifest.format != .parquet || manifest.keyID != nil
        else { return .printed }
        let numbers = manifest.parts.isEmpty ? [manifest.number] : manifest.parts.map(\.number)
        let names = numbers.map { "\(manifest.journal) \($0)" }
        let isLeft = names.map { !printed.contains($0) }
        guard isLeft.contains(true) else { return .printed }
        let isPart = isLeft.contains(false)
        // Rows do not say which file they come from.
        guard !isPart || manifest.format != .parquet else {
            return .left(reason: "rows that were printed were merged with others meanwhile")
        }
        let path = "\(catalog.root)/\(file.path)"
        do {
            try await copy?.fetch(file)
            defer { try? copy?.drop(file.path) }
            // Which message is of which part is known by counting.
            if isPart, ArchiveManifest.digits(try Digest.sha256(ofFile: path)) != file.sha256 { return nil }
            let sections = isPart ? zip(manifest.sections, isLeft).map { ($0.spans.records, $1) } : []
            // A file may have hours that are not asked for.
            try await print(path, catalog.keys, of: sections) {
                catalog.isWanted(start: $0, on: manifest.place?.day)
            }
            printed.formUnion(names)
            return .printed
        } catch let error where ArchiveCatalog.isGone(error) {
            return nil
        } catch let error as FileError where error.path.hasPrefix(catalog.root) {
            return .left(reason: error.description)
        } catch let error as ObjectStorageError where !error.isRetryable {
            return .left(reason: "\(error)")
        }
    }

    // MARK: A file

    /// - Parameters:
    ///   - sections: how many messages follow each other, and whether they are asked for; all are where it is empty.
    ///   - isWanted: asked when a span started.
    private func print(
        _ path: String, _ keys: ArchiveKeys?, of sections: [(count: Int, isWanted: Bool)] = [],
        where isWanted: ((UInt64) -> Bool)? = nil
    ) async throws {
        var batch = Batch(decodedLimit: .max)
        var encoder = OTLPJSONEncoder()
        var left = sections[...]
        func write(_ batch: inout Batch) throws {
            while let section = left.first, section.count == 0 { left.removeFirst() }
            if let section = left.first {
                left[left.startIndex].count -= 1
                guard section.isWanted else { return }
            }
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
