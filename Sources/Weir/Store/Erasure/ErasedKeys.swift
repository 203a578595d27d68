/// The subjects whose keys were destroyed, by what stands for them in key stores. A copy of a key store from before has
/// these keys again; a copy of tables has the spans again that were theirs and name nobody, under keys of others.
struct ErasedKeys: Sendable {
    /// Of one question to a store.
    private static let piece = 500

    /// By tenant.
    private var tags: [String: Set<[UInt8]>] = [:]
    private var requests: [ErasureRequest] = []
    /// With the traces that they had spans in.
    private var subjects = ErasedSubjects()

    /// Without those of tenants with a hold: what is held may have to be opened.
    /// - Parameter subjects: those that are tombstones, as far as somebody is to be shown spans.
    init(_ register: ErasureRegister, _ subjects: ErasedSubjects = ErasedSubjects()) {
        let held = Set(register.holds.compactMap(\.tenant))
        for group in subjects.all where !held.contains(group.tenant) { self.subjects.add(group) }
        requests = register.tombstones.filter { $0.isPastKeys && !held.contains($0.tenant) }
        for request in requests { tags[request.tenant, default: []].formUnion(request.tags) }
    }

    /// For who shows spans of a tenant.
    init(of tenant: String, _ register: ErasureRegister) throws(FileError) {
        self.init(register, try register.subjects(of: register.tombstones.filter { $0.tenant == tenant }))
    }

    /// None, where nobody knows of an erasure.
    init() {}

    /// By which the spans of a tenant are found that nobody is shown anything of.
    func matchers(of tenant: String) -> [SubjectMatcher] { (subjects.groups[tenant] ?? []).map(SubjectMatcher.init) }

    /// What was found of keys, with none of theirs.
    func without(_ keys: [UInt64: Result<DataKey, Unreadable>]) -> [UInt64: Result<DataKey, Unreadable>] {
        keys.mapValues { found in
            found.flatMap { key in
                tags[key.row.tenant]?.contains(key.row.subject) ?? false ? .failure(.destroyed) : .success(key)
            }
        }
    }

    private struct Found {
        let ring: Keyring
        let tenant: String
        let tag: [UInt8]
        /// When the first of the keys was made.
        let since: Timestamp
    }

    /// Destroys those that are there again. Requests whose keys from before the tombstone are, are not complete any
    /// more, since nobody knows what else was put back. The register says so first: whoever fails at the rest, or is
    /// killed, must not leave it unsaid.
    /// - Throws: where something of that failed. All else is done.
    func destroy(in rings: [Keyring], _ register: inout ErasureRegister, at now: Timestamp) async throws {
        var found: [Found] = []
        var failure: (any Error)?
        for ring in rings {
            do { found += try await alive(in: ring) } catch { failure = failure ?? error }
        }
        // A store may have been silent for long, and somebody was held meanwhile.
        if register.isChanged { try register.load() }
        let held = Set(register.holds.compactMap(\.tenant))
        found.removeAll { held.contains($0.tenant) }
        var since: [String: [[UInt8]: Timestamp]] = [:]
        for one in found { since[one.tenant, default: [:]].merge([one.tag: one.since], uniquingKeysWith: min) }
        for request in requests {
            let time = request.tombstoneAt ?? request.at
            // One that was made later is no copy's: another Weir has made it, which does not know of the erasure.
            guard request.tags.contains(where: { tag in since[request.tenant]?[tag].map { $0 < time } ?? false })
            else { continue }
            try register.append(at: now) { register in
                let isComplete = register.requests.contains { $0.id == request.id && $0.completedAt != nil }
                return isComplete ? ErasureEntry(.reopen, id: request.id) : nil
            }
        }
        let backups = register.backups
        for one in found {
            let selection = KeySelection.subject(tenant: one.tenant, tag: one.tag)
            do { _ = try await SubjectKeys(ring: one.ring, backups).destroy(selection, at: now) } catch {
                failure = failure ?? error
            }
        }
        // Those that are at hand are let go of.
        if !found.isEmpty { for ring in rings { try? await ring.refresh(at: now) } }
        if let failure { throw failure }
    }

    private func alive(in ring: Keyring) async throws(KeyError) -> [Found] {
        var alive: [Found] = []
        for (tenant, tags) in tags {
            var rest = Array(tags)[...]
            while !rest.isEmpty {
                let some = Array(rest.prefix(Self.piece))
                rest = rest.dropFirst(some.count)
                let found = try await ring.store.run { database throws(KeyError) in
                    try database.subjects(some, of: tenant)
                }
                alive += found.map { Found(ring: ring, tenant: tenant, tag: $0.key, since: $0.value) }
            }
        }
        return alive
    }
}
