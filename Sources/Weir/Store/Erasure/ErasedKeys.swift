/// The subjects whose keys were destroyed, by what stands for them in key stores. A copy of a key store from before has
/// these keys again.
struct ErasedKeys: Sendable {
    /// Of one question to a store.
    private static let piece = 500

    /// By tenant.
    private var tags: [String: Set<[UInt8]>] = [:]
    private var requests: [ErasureRequest] = []

    /// Without those of tenants with a hold: what is held may have to be opened.
    init(_ register: ErasureRegister) {
        let held = Set(register.holds.compactMap(\.tenant))
        requests = register.tombstones.filter { $0.isPastKeys && !held.contains($0.tenant) }
        for request in requests { tags[request.tenant, default: []].formUnion(request.tags) }
    }

    /// None, where nobody knows of an erasure.
    init() {}

    /// What was found of keys, with none of theirs.
    func without(_ keys: [UInt64: Result<DataKey, Unreadable>]) -> [UInt64: Result<DataKey, Unreadable>] {
        keys.mapValues { found in
            found.flatMap { key in
                tags[key.row.tenant]?.contains(key.row.subject) ?? false ? .failure(.destroyed) : .success(key)
            }
        }
    }

    /// Destroys those that are there again. Their requests are not complete any more, since nobody knows what else was
    /// put back.
    /// - Returns: how many requests that are.
    func destroy(in rings: [Keyring], _ register: inout ErasureRegister, at now: Timestamp) async throws -> Int {
        var found: Set<String> = []
        for ring in rings {
            for (tenant, tags) in tags {
                let alive = try await alive(tags, of: tenant, in: ring)
                for tag in alive {
                    _ = try await SubjectKeys(ring: ring).destroy(.subject(tenant: tenant, tag: tag), at: now)
                }
                found.formUnion(
                    requests.filter { $0.tenant == tenant && !alive.isDisjoint(with: $0.tags) }.map(\.id))
            }
            // Those that are at hand are let go of.
            if !found.isEmpty { try? await ring.refresh(at: now) }
        }
        for id in found {
            try register.append(at: now) { register in
                let isComplete = register.requests.contains { $0.id == id && $0.completedAt != nil }
                return isComplete ? ErasureEntry(.reopen, id: id) : nil
            }
        }
        return found.count
    }

    private func alive(_ tags: Set<[UInt8]>, of tenant: String, in ring: Keyring) async throws -> Set<[UInt8]> {
        var alive: Set<[UInt8]> = []
        var rest = Array(tags)[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.piece))
            rest = rest.dropFirst(some.count)
            alive.formUnion(
                try await ring.store.run { database throws(KeyError) in try database.subjects(some, of: tenant) })
        }
        return alive
    }
}
