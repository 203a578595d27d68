/// Merges the files of days that are over into a few large ones, without what was erased meanwhile.
struct ArchiveCompaction {
    struct Outcome: Equatable, Sendable {
        /// Files that there were, and files that they became, as many as there are manifests.
        var merged = 0
        var made = 0
        /// In the new files.
        var spans = 0
        var erased = 0
        /// Files that are not what their manifests say, which stay as they are.
        var damaged: [String] = []
        /// Sealed files that do not open, and why: the same.
        var unreadable: [String: Unreadable] = [:]
        /// Days of tenants that a hold covers.
        var held = 0
        /// Files that only a bucket had, and those that could not be had from there, with the reason.
        var fetched = 0
        var unfetched: [String: String] = [:]
        /// Another process changes files here; it is to be tried again soon.
        var isBusy = false

        /// What was done before, to what is not there any more.
        mutating func add(_ other: Outcome) {
            merged += other.merged
            made += other.made
            spans += other.spans
            erased += other.erased
            fetched += other.fetched
            unfetched.merge(other.unfetched) { first, _ in first }
            isBusy = isBusy || other.isBusy
        }
    }

    private let catalog: ArchiveCatalog
    private let rules: CompactionRules
    /// Nil where nothing can be erased, or held.
    private var register: ErasureRegister?
    private let lifecycle: ArchiveLifecycle?

    init(
        _ catalog: ArchiveCatalog, _ rules: CompactionRules, _ register: ErasureRegister?,
        _ lifecycle: ArchiveLifecycle? = nil
    ) {
        (self.catalog, self.rules, self.register) = (catalog, rules, register)
        self.lifecycle = lifecycle
    }

    /// - Throws: also where the task is cancelled; it can be gone on with at any time.
    func run(at now: Timestamp) throws -> Outcome {
        var outcome = Outcome()
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { date in
            if let day = date.day, rules.isOver(day, at: now), try mayHaveSome(date) { dates.append(date) }
        }
        // What a process that died had begun may be all that there is to do.
        guard try ArchiveChange(catalog.root) != nil else {
            outcome.isBusy = true
            return outcome
        }
        for date in dates {
            guard let change = try ArchiveChange(catalog.root) else {
                outcome.isBusy = true
                break
            }
            try merge(date, change, &outcome, at: now)
        }
        return outcome
    }

    /// Merges the files of a day that are here.
    func merge(
        _ date: ArchiveCatalog.Date, _ change: ArchiveChange, _ outcome: inout Outcome, at now: Timestamp
    ) throws {
        // Who asked for something since the last day was merged, asked before this one.
        var current = self
        if current.register?.isChanged ?? false { try current.register?.load() }
        let entries = try current.entries(of: date, &outcome, at: now)
        for group in CompactionPlan(target: rules.target).groups(entries) {
            try current.merge(group, date, change, &outcome, at: now)
        }
    }

    /// Without reading a file: most days are merged.
    private func mayHaveSome(_ date: ArchiveCatalog.Date) throws -> Bool {
        guard date.tree.isEmpty || date.tree == "\(ArchiveDataset.spans.rawValue)/" else { return false }
        let merged = ArchivePartition.merged
        let hours = try Directory.names(in: "\(catalog.root)/\(date.path)").filter { $0.hasPrefix("hour=") }
        if hours.contains(where: { $0 != merged }) { return true }
        guard hours.contains(merged) else { return false }
        return try Directory.names(in: "\(catalog.root)/\(date.path)/\(merged)").count { name in
            name.hasPrefix("_") && name.hasSuffix(".json")
        } > 1
    }

    private func entries(
        of date: ArchiveCatalog.Date, _ outcome: inout Outcome, at now: Timestamp
    ) throws -> [CompactionPlan.Entry] {
        var entries: [CompactionPlan.Entry] = []
        var held: Set<String> = []
        for case .manifest(let manifest, _, let bytes) in try catalog.found(in: date) {
            guard manifest.place != nil, UInt64(manifest.journal, radix: 16) != nil else { continue }
            if register?.holds(manifest, at: now) ?? false {
                held.insert(manifest.tenant)
                continue
            }
            if let problem = catalog.keys.problem(manifest, in: catalog.root) {
                outcome.unreadable[manifest.files.first?.path ?? ""] = problem
                continue
            }
            entries.append(
                CompactionPlan.Entry(
                    manifest: manifest, hash: ArchiveManifest.hash(bytes), length: bytes.count,
                    columns: try columns(of: manifest)))
        }
        outcome.held += held.count
        return entries
    }

    /// Of one that cannot be read, a text that no other has.
    private func columns(of manifest: ArchiveManifest) throws -> String {
        guard manifest.format == .parquet else { return "" }
        return manifest.files.map { file in
            let reader = try? ParquetReader("\(catalog.root)/\(file.path)", catalog.keys)
            return reader?.columns.map(\.name).joined(separator: ",") ?? file.path
        }.first ?? ""
    }

    // MARK: A file

    private func merge(
        _ group: [CompactionPlan.Entry], _ date: ArchiveCatalog.Date, _ change: ArchiveChange,
        _ outcome: inout Outcome, at now: Timestamp
    ) throws {
        // What is damaged must not become a part of what is whole.
        let group = group.filter { entry in
            let damaged = entry.manifest.files.filter { !isWhole($0) }.map(\.path)
            outcome.damaged += damaged
            return damaged.isEmpty
        }
        guard group.count > 1, let first = group.first?.manifest, let part = group.first?.parts.first else { return }
        try Task.checkCancellation()
        let manifests = group.map(\.manifest)
        let erased = try erasures(of: manifests)
        let stem = try change.stem(of: first)
        let before = manifests.reduce(0) { $0 + $1.spans.spans }
        let rewritten: ArchiveRewritten
        do {
            let rewriter = first.rewriter(catalog.root, catalog.keys, register?.finder())
            rewritten = try rewriter.rewrite(manifests, to: stem, without: erased)
            guard erased.isEmpty ? rewritten.whole.spans == before : rewritten.whole.spans <= before else {
                throw FileError.damaged(first.files.first?.path ?? date.path)
            }
        } catch {
            // It would take the room that there may be too little of.
            change.forget(stem)
            throw error
        }
        let sequences = manifests.dropFirst().reduce(first.spans.sequences) { found, next in
            let next = next.spans.sequences
            return min(found.lowerBound, next.lowerBound)...max(found.upperBound, next.upperBound)
        }
        let name = try name(of: first, sequences, date, at: now)
        var new = ArchiveManifest(
            number: part.number, previous: part.previous, journal: first.journal, tenant: first.tenant,
            format: first.format, compression: first.compression, spans: rewritten.whole, created: now.text, files: [])
        new.parts = group.flatMap(\.parts)
        new.supersedes = group.flatMap { $0.manifest.supersedes + [$0.hash] }
        new.dates = dates(of: manifests, at: now)
        new.keyID = rewritten.keyID
        new.fieldKeys = .merged(manifests.map(\.fieldKeys))
        let suffix = first.format.suffix(first.compression, isSealed: rewritten.keyID != nil)
        new.take(
            rewritten.sections, rewritten.whole,
            rewritten.files.map { file in
                file.named("\(path(in: date, file.dataset))/\(name)\(suffix)")
            })
        new.take(rewritten.filters)
        let whose = before > rewritten.whole.spans ? try subjects(of: manifests) : []
        try change.merge(into: new)
        outcome.merged += group.count
        outcome.made += 1
        outcome.spans += rewritten.whole.spans
        outcome.erased += before - rewritten.whole.spans
        try note(before - rewritten.whole.spans, whose, manifests, new, at: now)
    }

    private func isWhole(_ file: ArchiveManifest.File) -> Bool {
        let hash = try? Digest.sha256(ofFile: "\(catalog.root)/\(file.path)")
        return hash.map { ArchiveManifest.digits($0) } == file.sha256
    }

    private func path(in date: ArchiveCatalog.Date, _ dataset: ArchiveDataset?) -> String {
        let date = (dataset.map { "\($0.rawValue)/" } ?? "") + date.path.dropFirst(date.tree.count)
        return "\(date)/\(ArchivePartition.merged)"
    }

    /// One that no file has: what was merged in this second may be merged again.
    private func name(
        of manifest: ArchiveManifest, _ sequences: ClosedRange<UInt64>, _ date: ArchiveCatalog.Date, at now: Timestamp
    ) throws -> String {
        guard let journal = UInt64(manifest.journal, radix: 16) else { throw FileError.damaged(date.path) }
        var begun = now
        while true {
            let name = ArchiveName(begun: begun, journal: JournalID(value: journal), sequences: sequences).text
            let directory = "\(catalog.root)/\(path(in: date, manifest.files.first?.dataset))"
            guard Directory.has("\(directory)/\(ArchiveManifest.name(beside: name))") else { return name }
            begun = Timestamp(nanoseconds: begun.nanoseconds + 1_000_000_000)
        }
    }

    private func dates(of manifests: [ArchiveManifest], at now: Timestamp) -> ArchiveDates? {
        let dates = manifests.compactMap { $0.dates ?? lifecycle?.dates(of: $0) }
        return dates.dropFirst().reduce(dates.first) { $0?.joined($1) }
    }
}

// MARK: - What was erased

extension ArchiveCompaction {
    /// Whose spans have to go of these files of a tenant.
    private func erasures(of manifests: [ArchiveManifest]) throws -> [ErasedSpans] {
        guard let register, let tenant = manifests.first?.tenant else { return [] }
        let groups = try register.subjects(of: register.erasable(of: tenant)).groups[tenant] ?? []
        return try groups.map { group in
            let matcher = SubjectMatcher(group)
            // A file may have come since the traces were looked for.
            let named = manifests.filter { $0.mayName(matcher, catalog) }
            let traces = try named.reduce(group.traces) { try $0.union($1.search(catalog, matcher).traces()) }
            return (matcher, traces)
        }
    }

    /// The requests that files have spans of.
    private func subjects(of manifests: [ArchiveManifest]) throws -> [ErasureRequest] {
        guard let register, let tenant = manifests.first?.tenant else { return [] }
        let requests = register.erasable(of: tenant)
        let found = try requests.filter { request in
            let groups = try register.subjects(of: [request]).all
            return try groups.contains { group in
                try manifests.contains { try !$0.search(catalog, SubjectMatcher(group)).traces().isEmpty }
            }
        }
        // What names nobody went with somebody's trace.
        return found.isEmpty ? requests : found
    }

    /// Writes down what was done for whom.
    private func note(
        _ spans: Int, _ requests: [ErasureRequest], _ old: [ArchiveManifest], _ new: ArchiveManifest, at now: Timestamp
    ) throws {
        guard var register, let after = new.files.first?.sha256 else { return }
        for request in requests {
            try register.append(at: now) { _ in
                var entry = ErasureEntry(.step, id: request.id)
                entry.place = "archive, while files were merged"
                entry.counts = [.init(name: "spans", value: spans)]
                entry.rewritten = old.compactMap { $0.files.first.map { .init(before: $0.sha256, after: after) } }
                return entry
            }
        }
    }
}

extension ErasureRegister {
    /// The holds that keep a tenant's files of a day as they are.
    func holds(on day: Day?, of tenant: String, at now: Timestamp) -> [String] {
        holds.filter { hold in
            hold.tenant == tenant && (day.map { hold.keeps($0, at: now) } ?? true)
        }.map(\.id)
    }

    /// Whether a hold keeps files as they are. One that they were published under does until it is released here, also
    /// where this register does not know it.
    func holds(_ manifest: ArchiveManifest, at now: Timestamp) -> Bool {
        let released = Set(entries.filter { $0.kind == .release }.map(\.id))
        return !holds(on: manifest.place?.day, of: manifest.tenant, at: now).isEmpty
            || !released.isSuperset(of: manifest.holds)
    }

    /// What may be done for a tenant's subjects.
    fileprivate func erasable(of tenant: String) -> [ErasureRequest] {
        tombstones.filter { $0.tenant == tenant && hold(on: tenant, names: $0.names) == nil }
    }
}
