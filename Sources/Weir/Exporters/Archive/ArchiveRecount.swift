/// Counts what the files of a manifest hold, and says where the manifest says something else. The files are those whose
/// SHA-256 it has; so what is found here was wrong from the beginning, or the manifest was changed.
struct ArchiveRecount {
    private let catalog: ArchiveCatalog
    private let finder: SubjectFinder?
    private var root: String { catalog.root }
    private var keys: ArchiveKeys? { catalog.keys }

    /// - Parameter finder: of names; nil where it is not looked whether filters have them.
    init(_ catalog: ArchiveCatalog, _ finder: SubjectFinder?) {
        (self.catalog, self.finder) = (catalog, finder)
    }

    /// - Returns: a line for each thing that is wrong, with the file it is about; none also where the files are sealed
    ///   and do not open here.
    func problems(of manifest: ArchiveManifest) throws -> [String] {
        guard let file = manifest.files.first, keys.problem(manifest, in: root) == nil else { return [] }
        do {
            let found = try manifest.format == .parquet ? rows(of: manifest) : messages(of: manifest)
            return (place(of: manifest) + found).map { "\(file.path): \($0)" }
        } catch let error as FileError where error.unreadable != nil && manifest.keyID == nil {
            return ["\(file.path): is sealed, and its manifest does not say so"]
        } catch let error as FileError where error.isDamage || error.unreadable != nil {
            return ["\(file.path): cannot be read"]
        }
    }

    private func place(of manifest: ArchiveManifest) -> [String] {
        let wanted = "tenant=\(ArchivePartition.directoryName(of: manifest.tenant))"
        let found = manifest.allFiles.flatMap { $0.path.split(separator: "/") }.filter { $0.hasPrefix("tenant=") }
        return found.allSatisfy { $0 == wanted } ? [] : ["stands in a directory that is not the tenant's"]
    }

    private func path(_ file: ArchiveManifest.File) -> String { "\(root)/\(file.path)" }

    // MARK: OTLP

    private func messages(of manifest: ArchiveManifest) throws -> [String] {
        guard let file = manifest.files.first, let reader = ArchiveFileReader(path(file), keys) else {
            return ["is no file of \(manifest.format.rawValue)"]
        }
        let wanted = manifest.sections
        let day = manifest.place?.day
        var counts = wanted.map { _ in Count() }
        var index = 0
        var filters = try FilterRecount(of: manifest, in: catalog, finder)
        var batch = Batch(decodedLimit: .max)
        try reader.readFramed(into: &batch) { batch, message in
            filters.add(batch, message)
            while index < counts.count - 1, counts[index].records == wanted[index].spans.records { index += 1 }
            counts[index].records += 1
            for span in batch.spans { counts[index].add(span.startTime, day) }
        }
        var problems: [String] = []
        for (section, count) in zip(wanted, counts) {
            problems += count.problems(with: section.spans)
            let known = section.spans.runs.reduce(UInt64(0)) { $0 &+ ($1.upperBound - $1.lowerBound) &+ 1 }
            if section.spans.records > 0, known < UInt64(section.spans.records) {
                problems.append("found sequences of \(known) requests, wanted \(section.spans.records)")
            }
        }
        let found = zip(wanted, counts).map { $1.spans(of: $0.spans.runs) }
        // A request may have spans in several hours; where not all sequences are known, nobody can count it once.
        if wanted.count > 1, found.allSatisfy(\.knowsEverySequence), let whole = ArchivedSpans.merged(found) {
            problems += Count(whole).problems(with: manifest.spans)
        }
        let spans = counts.reduce(0) { $0 + $1.spans }
        if file.rows != spans { problems.append("found \(spans) rows, wanted \(file.rows)") }
        if problems.isEmpty, spans != manifest.spans.spans {
            problems.append("found \(spans) spans, wanted \(manifest.spans.spans)")
        }
        return problems + filters.problems + (try footer(of: file, manifest))
    }

    /// What the file itself says of its requests.
    private func footer(of file: ArchiveManifest.File, _ manifest: ArchiveManifest) throws -> [String] {
        guard manifest.compression != .none else { return [] }
        guard let footer = try ArchiveFooter.read(path(file), keys) else { return ["has no footer"] }
        let wanted = ArchiveFooter.Line(of: manifest.spans, journal: manifest.journal)
        return footer == wanted ? [] : ["found \(footer) in its footer, wanted \(wanted)"]
    }

    // MARK: Parquet

    private func rows(of manifest: ArchiveManifest) throws -> [String] {
        var problems: [String] = []
        for file in manifest.files {
            let reader = try ParquetReader(path(file), keys)
            let rows = reader.groups.reduce(0) { $0 + $1.rows }
            if rows != file.rows { problems.append("found \(rows) rows in \(file.path), wanted \(file.rows)") }
            if let tenant = reader.notes.first(where: { $0.name == "weir.tenant" })?.text, tenant != manifest.tenant {
                problems.append("found tenant \(tenant.quotedForMessage), wanted \(manifest.tenant.quotedForMessage)")
            }
            if file.dataset == .spans { problems += try self.problems(of: reader, manifest) }
        }
        return problems
    }

    private func problems(of reader: ParquetReader, _ manifest: ArchiveManifest) throws -> [String] {
        let day = manifest.place?.day
        var filters = try FilterRecount(of: manifest, in: catalog, finder)
        var count = Count()
        var sequences: Set<UInt64> = []
        for group in reader.groups {
            let (starts, places) = (
                try reader.values(of: "start_unix_nano", in: group), try reader.values(of: "seq", in: group)
            )
            for row in 0..<group.rows {
                count.add(UInt64(bitPattern: starts.number(row) ?? 0), day)
                sequences.insert(UInt64(bitPattern: places.number(row) ?? 0))
            }
            try filters.add(group, of: reader)
        }
        count.records = sequences.count
        let foreign = manifest.spans.foreign(among: sequences)
        return count.problems(with: manifest.spans) + filters.problems
            + (foreign > 0 ? ["has \(foreign) requests that are not among its sequences"] : [])
    }

    // MARK: Numbers

    private struct Count {
        var records = 0
        var spans = 0
        var times: ClosedRange<UInt64>?
        var suspects = 0

        init() {}

        init(_ spans: ArchivedSpans) {
            (records, self.spans, times, suspects) = (spans.records, spans.spans, spans.times, spans.suspects)
        }

        mutating func add(_ start: UInt64, _ day: Day?) {
            spans += 1
            times = min(times?.lowerBound ?? start, start)...max(times?.upperBound ?? start, start)
            if day.map({ !$0.times.contains(start) }) ?? false { suspects += 1 }
        }

        func spans(of runs: [ClosedRange<UInt64>]) -> ArchivedSpans {
            ArchivedSpans(of: runs, records: records, spans: spans, times: times, suspects: suspects)
        }

        func problems(with said: ArchivedSpans) -> [String] {
            var problems: [String] = []
            func compare<Number: Equatable>(_ found: Number, _ wanted: Number, _ what: String) {
                if found != wanted { problems.append("found \(found) \(what), wanted \(wanted)") }
            }
            compare(spans, said.spans, "spans")
            compare(records, said.records, "requests")
            // An older Weir says nothing of these.
            if let wanted = said.times, let times {
                compare(times.lowerBound, wanted.lowerBound, "as the first start")
                compare(times.upperBound, wanted.upperBound, "as the last start")
            }
            if said.suspects > 0 { compare(suspects, said.suspects, "spans with a suspect clock") }
            return problems
        }
    }
}
