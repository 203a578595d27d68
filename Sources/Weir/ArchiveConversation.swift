/// What an archive has of a conversation: which spans of which files, with what proves that they are those. Whoever
/// hands a conversation over, or keeps it for longer, writes that down beside it.
struct ArchiveConversation {
    struct Part: Equatable {
        let manifest: ArchiveManifest
        /// The manifest's own SHA-256.
        let hash: String
        let spans: ArchivedSpans
        /// That are on it now, or that it was published under.
        let holds: [String]
    }

    let id: String
    let tenant: String
    private(set) var traces: Set<TraceID> = []
    private(set) var parts: [Part] = []
    /// What may have spans of it and is not looked into, with the reason.
    private(set) var left: [(path: String, reason: String)] = []

    /// - Parameters:
    ///   - names: what spans may call it: the id, and what stands for it where it was redacted.
    ///   - register: of holds, with the key by which filters are asked; nil where there is none.
    ///   - fetch: brings a file that only a bucket has; one is here at a time.
    ///   - drop: gives it up again.
    ///   - again: has the catalog see what there is of a day by now, where it is a copy.
    init(
        _ id: String, of tenant: String, names: [[UInt8]], in catalog: ArchiveCatalog, _ register: ErasureRegister?,
        at now: Timestamp, fetch: (ArchiveManifest.File) async throws -> Void = { _ in },
        drop: (String) throws -> Void = { _ in }, again: (ArchiveCatalog.Date) async throws -> Void = { _ in }
    ) async throws {
        (self.id, self.tenant) = (id, tenant)
        let matcher = Self.matcher(names, tenant, register)
        var dates: [ArchiveCatalog.Date] = []
        try catalog.dates { dates.append($0) }
        func looks<Value>(
            _ date: ArchiveCatalog.Date, _ mayHave: (ArchiveManifest) -> Bool,
            _ search: (ArchiveManifest) throws -> Value
        ) async throws -> [(found: ArchiveCatalog.Found, look: Look<Value>?)] {
            try await catalog.looks(into: date, again: { try await again(date) }) { found in
                guard case .manifest(let manifest, _, _) = found, let file = manifest.files.first,
                    manifest.tenant == tenant
                else { return .passedOver }
                if let problem = catalog.keys.problem(manifest, in: catalog.root) {
                    return .left(reason: "does not open: \(problem.rawValue)")
                }
                if let bloom = manifest.bloom {
                    try? await fetch(bloom)
                    defer { try? drop(bloom.path) }
                    guard mayHave(manifest) else { return .passedOver }
                }
                defer { try? drop(file.path) }
                do {
                    try await fetch(file)
                    return .found(try search(manifest))
                } catch let error where ArchiveCatalog.isGone(error) {
                    return nil
                } catch {
                    return .left(reason: "\(error)")
                }
            }
        }
        var traces: Set<TraceID> = []
        for date in dates {
            let looks = try await looks(date, { $0.mayName(matcher, catalog) }) {
                try $0.search(catalog, matcher).traces()
            }
            for (found, look) in looks {
                if case .found(let some) = look { traces.formUnion(some) }
                note(found, look)
            }
        }
        self.traces = traces
        guard !traces.isEmpty else { return }
        for date in dates {
            let looks = try await looks(date, { $0.mayHave(traces, catalog) }) {
                try $0.search(catalog, matcher).spans(of: traces)
            }
            for (found, look) in looks {
                note(found, look)
                guard case .manifest(let manifest, _, let bytes) = found, case .found(let some) = look, let spans = some
                else { continue }
                let holds = register?.holds(on: manifest.place?.day, of: tenant, at: now) ?? []
                parts.append(
                    Part(
                        manifest: manifest, hash: ArchiveManifest.hash(bytes), spans: spans,
                        holds: Set(holds + manifest.holds).sorted()))
            }
        }
    }

    private enum Look<Value> {
        /// The filter says that it has nothing.
        case passedOver
        case found(Value)
        case left(reason: String)
    }

    /// Says once what is not looked into.
    private mutating func note<Value>(_ found: ArchiveCatalog.Found, _ look: Look<Value>?) {
        let (place, reason): (String, String)
        switch (found, look) {
        case (.broken(let path), _): (place, reason) = (path, "found no manifest that can be read")
        case (.unlisted(let path), _): (place, reason) = (path, "found no manifest beside it")
        case (.away(let manifest, let path, _), _):
            guard manifest.tenant == tenant else { return }
            (place, reason) = (path, "only a bucket has its file")
        case (.manifest(let manifest, _, _), .left(let why)): (place, reason) = (manifest.files.first?.path ?? "", why)
        case (.manifest(let manifest, _, _), nil): (place, reason) = (manifest.files.first?.path ?? "", "is missing")
        default: return
        }
        if !left.contains(where: { $0.path == place }) { left.append((place, reason)) }
    }

    /// The names are not kept, so any key is right; with the register's the filters can be asked.
    private static func matcher(
        _ names: [[UInt8]], _ tenant: String, _ register: ErasureRegister?
    ) -> SubjectMatcher {
        let family = SubjectFamily(of: "gen_ai.conversation.id")
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let known = register.flatMap { $0.hasKey ? $0.hash(of: family, tenant: tenant) : nil }
        let hash = known ?? SubjectHash(key: key, tenant: tenant, family)
        var group = ErasedSubjects.Group(tenant: tenant, family: family, hash: hash)
        group.names = Set(names.map { hash.digest(of: $0) })
        return SubjectMatcher(group)
    }

    /// A line of JSON.
    func text(at now: Timestamp) -> [UInt8] {
        let files = JSONTree.array(parts.map(\.tree))
        let ids = JSONTree.array(traces.map(\.text).sorted().map(JSONTree.text))
        var written = JSONWriter(capacity: 1 << 10)
        written.value(files)
        let hash = Digest.sha256(Array(written.written))
        let count = parts.reduce(0) { $0 + $1.spans.spans }
        let fields: [(StaticString, JSONTree)] = [
            ("version", .int(1)), ("conversation", .text(id)), ("tenant", .text(tenant)), ("at", .text(now.text)),
            ("spans", .int(Int64(count))), ("traces", ids), ("files", files),
            ("files_sha256", .text(ArchiveManifest.digits(hash))),
        ]
        var writer = JSONWriter(capacity: 1 << 10)
        writer.value(.fields(fields))
        writer.byte(UInt8(ascii: "\n"))
        return Array(writer.written)
    }
}

extension ArchiveConversation.Part {
    fileprivate var tree: JSONTree {
        var fields: [(StaticString, JSONTree)] = [
            ("path", .text(manifest.files.first?.path ?? "")), ("sha256", .text(manifest.files.first?.sha256 ?? "")),
            ("manifest", .text(manifest.manifestPath)), ("manifest_sha256", .text(hash)),
            ("journal", .text(manifest.journal)),
        ]
        fields += spans.fields
        if let dates = manifest.dates { fields.append(("lifecycle", dates.tree)) }
        if !holds.isEmpty { fields.append(("legal_hold", .array(holds.map(JSONTree.text)))) }
        return .fields(fields)
    }
}
