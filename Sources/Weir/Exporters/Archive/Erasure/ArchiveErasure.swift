/// Looks for the spans of subjects in the files of an archive, and writes the files that have some anew without them.
/// The new manifest has the number of the old one, and says in `supersedes` which one that was.
struct ArchiveErasure {
    struct Erased: Equatable, Sendable {
        var spans = 0
        var rewritten: [ErasureEntry.Rewritten] = []
    }

    let root: String
    private let keys: ArchiveKeys?
    private let finder: SubjectFinder?
    private let change: ArchiveChange

    /// Completes what a process that died had begun.
    /// - Parameters:
    ///   - keys: of files that are sealed.
    ///   - finder: of names in what is written anew.
    ///   - waits: for another process that changes files here, rather than giving nil.
    init?(_ root: String, _ keys: ArchiveKeys? = nil, _ finder: SubjectFinder? = nil, waits: Bool = false) throws {
        guard let change = try ArchiveChange(root, waits: waits) else { return nil }
        self.root = root
        self.keys = keys
        self.finder = finder
        self.change = change
    }

    /// The traces that subjects have spans in. Files that have none of their names, by their filters, are not opened.
    /// - Parameters:
    ///   - some: only those; files that have none of them, by their filters, are not opened.
    ///   - empty: the SHA-256 of manifests whose files have nothing of the subjects, and are not opened; to which those
    ///     are added that turn out to be such.
    func traces(
        of matcher: SubjectMatcher, among some: Set<TraceID>? = nil, _ empty: inout Set<String>
    ) throws -> Set<TraceID> {
        var traces: Set<TraceID> = []
        try visit(matcher) { manifest, bytes, catalog in
            let hash = ArchiveManifest.hash(bytes)
            guard !empty.contains(hash), manifest.mayName(matcher, catalog),
                some.map({ manifest.mayHave($0, catalog) }) ?? true
            else { return }
            let found = try manifest.search(catalog, matcher).traces()
            if found.isEmpty { empty.insert(hash) }
            traces.formUnion(some.map { found.intersection($0) } ?? found)
        }
        return traces
    }

    /// - Parameter traces: all of the subjects' traces: what has none of them, by its filter, is not opened.
    func erase(_ matcher: SubjectMatcher, traces: Set<TraceID>, at now: Timestamp) throws -> Erased {
        var erased = Erased()
        try visit(matcher) { manifest, bytes, catalog in
            guard manifest.mayHave(traces, catalog), try manifest.search(catalog, matcher).hasSpans(of: traces)
            else { return }
            let rewritten = try manifest.rewriter(root, keys, finder).rewrite(
                [manifest], to: change.stem(of: manifest), without: [(matcher, traces)])
            var new = manifest
            new.take(
                rewritten.sections, rewritten.whole,
                zip(manifest.files, rewritten.files).map { $1.named($0.path) })
            new.take(rewritten.filters)
            new.created = now.text
            new.keyID = rewritten.keyID
            new.supersedes.append(ArchiveManifest.hash(bytes))
            try change.replace(with: new)
            erased.spans += manifest.spans.spans - new.spans.spans
            for (before, after) in zip(manifest.files, new.files) {
                erased.rewritten.append(.init(before: before.sha256, after: after.sha256))
            }
        }
        return erased
    }

    private func visit(
        _ matcher: SubjectMatcher, _ body: (ArchiveManifest, _ bytes: [UInt8], ArchiveCatalog) throws -> Void
    ) throws {
        let tenant = matcher.group.tenant
        let catalog = ArchiveCatalog(root: root, selection: ArchiveCatalog.Selection(tenant: tenant), keys: keys)
        try catalog.visit { found in
            // The directory's name may be that of several tenants, where names are long. The journal becomes a name.
            if case .manifest(let manifest, _, let bytes) = found, manifest.tenant == tenant,
                UInt64(manifest.journal, radix: 16) != nil,
                // Of a file whose key was destroyed everything is erased.
                keys.problem(manifest, in: root) != .destroyed
            {
                try body(manifest, bytes, catalog)
            }
        }
    }
}

/// What a manifest speaks of, from which spans are to be erased.
protocol ArchivedErasure {
    /// The traces that subjects have spans in.
    func traces() throws -> Set<TraceID>
    /// Whether something of it has to go.
    /// - Parameter traces: all of the subjects' traces.
    func hasSpans(of traces: Set<TraceID>) throws -> Bool
    /// What of it is the subjects', as ``hasSpans(of:)`` finds it; nil where nothing is.
    func spans(of traces: Set<TraceID>) throws -> ArchivedSpans?
}

extension ArchiveManifest {
    /// Whether files may have spans of the traces, by what stands beside them. A filter that cannot be read proves
    /// nothing.
    func mayHave(_ traces: Set<TraceID>, _ catalog: ArchiveCatalog) -> Bool {
        guard let filter = try? filters(in: catalog)?.traces else { return true }
        return traces.contains { filter.contains(ArchiveHashes.hash($0)) }
    }

    /// Whether files may have spans that name the subjects, likewise: where they are encrypted with a key of theirs, or
    /// by the filter of names. Attributes that have no column are in no filter.
    func mayName(_ matcher: SubjectMatcher, _ catalog: ArchiveCatalog) -> Bool {
        let group = matcher.group
        if !group.keys.isEmpty {
            guard let fieldKeys, !fieldKeys.hasMore, fieldKeys.ids.isDisjoint(with: group.keys) else { return true }
        }
        guard group.family.column != nil, let names, names.key == group.hash.keyID,
            let filter = try? filters(in: catalog)?.names
        else { return true }
        return group.names.contains { filter.contains(SubjectHash.short($0)) }
    }

    /// Looks into its files.
    func search(_ catalog: ArchiveCatalog, _ matcher: SubjectMatcher) -> any ArchivedErasure {
        if format == .parquet { return ParquetErasure(catalog.root, self, matcher, catalog.keys) }
        return OTLPErasure(catalog.root, self, matcher, catalog.keys)
    }
}
