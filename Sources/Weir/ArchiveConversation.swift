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
    init(
        _ id: String, of tenant: String, names: [[UInt8]], in catalog: ArchiveCatalog, _ register: ErasureRegister?,
        at now: Timestamp, fetch: (ArchiveManifest.File) async throws -> Void = { _ in },
        drop: (String) throws -> Void = { _ in }
    ) async throws {
        (self.id, self.tenant) = (id, tenant)
        let matcher = Self.matcher(names, tenant, register)
        var manifests: [(manifest: ArchiveManifest, hash: String)] = []
        try catalog.visit { found in
            switch found {
            case .broken(let path): left.append((path, "found no manifest that can be read"))
            case .unlisted(let path): left.append((path, "found no manifest beside it"))
            case .away(let manifest, let path, _):
                if manifest.tenant == tenant { left.append((path, "only a bucket has its file")) }
            case .manifest(let manifest, let path, let bytes):
                guard manifest.tenant == tenant else { return }
                if let problem = catalog.keys.problem(manifest, in: catalog.root) {
                    return left.append((path, "does not open: \(problem.rawValue)"))
                }
                manifests.append((manifest, ArchiveManifest.hash(bytes)))
            }
        }
        func isWanted(_ manifest: ArchiveManifest, _ mayHave: () -> Bool) async -> Bool {
            guard let bloom = manifest.bloom else { return true }
            try? await fetch(bloom)
            defer { try? drop(bloom.path) }
            return mayHave()
        }
        var unreadable: Set<String> = []
        for (manifest, hash) in manifests where await isWanted(manifest, { manifest.mayName(matcher, catalog) }) {
            let found = await look(into: manifest, fetch, drop) { try manifest.search(catalog, matcher).traces() }
            if found == nil { unreadable.insert(hash) }
            traces.formUnion(found ?? [])
        }
        let traces = traces
        guard !traces.isEmpty else { return }
        for (manifest, hash) in manifests where !unreadable.contains(hash) {
            guard await isWanted(manifest, { manifest.mayHave(traces, catalog) }) else { continue }
            let found = await look(into: manifest, fetch, drop) {
                try manifest.search(catalog, matcher).spans(of: traces)
            }
            guard let found, let spans = found else { continue }
            let holds = register?.holds(on: manifest.place?.day, of: tenant, at: now) ?? []
            parts.append(
                Part(manifest: manifest, hash: hash, spans: spans, holds: Set(holds + manifest.holds).sorted()))
        }
    }

    /// - Returns: nil where the files cannot be read.
    private mutating func look<Found>(
        into manifest: ArchiveManifest, _ fetch: (ArchiveManifest.File) async throws -> Void,
        _ drop: (String) throws -> Void, _ body: () throws -> Found
    ) async -> Found? {
        guard let file = manifest.files.first else { return nil }
        defer { try? drop(file.path) }
        do {
            try await fetch(file)
            return try body()
        } catch {
            left.append((file.path, "\(error)"))
            return nil
        }
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
