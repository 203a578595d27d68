import Logging

/// Carries out what the register of erasures asks for, beside a Weir that runs or without one. Each step may be done
/// again; whoever is killed on the way says the same once more.
struct Erasure {
    /// What is left of a request, with the time when it goes.
    struct Left: Equatable, Sendable {
        let place: String
        let until: String
    }

    /// What was done at a place.
    struct Step: Sendable {
        let place: String
        var counts: [ErasureEntry.Count] = []
        var rewritten: [ErasureEntry.Rewritten] = []

        var isEmpty: Bool { counts.allSatisfy { $0.value == 0 } }
    }

    /// A hold covers what is to be erased, or may do so.
    struct Held: Error {
        let hold: ErasureEntry
        /// Traces of the subject in which another one is held; 0 where the hold is on the subject itself.
        var traces = 0
        /// Where spans of both may be, and nobody can look.
        var unknown: [Left] = []
    }

    let configuration: CollectorConfiguration
    /// Of Postgres: whether partitions are written anew.
    let rewrites: Bool
    private(set) var register: ErasureRegister
    private let clock: @Sendable () -> Timestamp
    private let places: ErasurePlaces

    init(
        _ configuration: CollectorConfiguration, rewrites: Bool = false,
        maxTraces: Int = ErasureRegister.maxTraces, clock: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) throws {
        self.configuration = configuration
        self.rewrites = rewrites
        self.clock = clock
        register = try ErasureRegister(configuration.service.erasure.directory, maxTraces: maxTraces)
        places = ErasurePlaces(configuration)
    }

    /// The exporters that have brought spans to where nothing is erased from here.
    var elsewhere: [String] { places.elsewhere }

    // MARK: Asking

    /// Writes the tombstone of a subject, or finds the request for it that is not complete. Where others are held the
    /// request waits: ``run(_:report:)`` looks whether their spans would go with the subject's.
    /// - Parameters:
    ///   - names: what spans may call it; see ``SubjectNames``.
    ///   - tags: what stands for it in the key store.
    mutating func request(
        tenant: String, attribute: String, names: [[UInt8]], tags: [[UInt8]], by actor: String, reason: String
    ) throws -> ErasureRequest {
        let hash = register.hash(of: SubjectFamily(of: attribute), tenant: tenant)
        let digests = names.map { hash.digest(of: $0) }
        try register.append(at: clock()) { register in
            if let hold = register.hold(on: tenant, names: digests) { throw Held(hold: hold) }
            let isKnown = register.requests.contains {
                $0.tenant == tenant && $0.completedAt == nil && $0.names == digests && $0.tags == tags
            }
            guard !isKnown else { return nil }
            var entry = ErasureEntry(.request, id: ErasureRegister.newID())
            (entry.tenant, entry.attribute, entry.names, entry.tags) = (tenant, attribute, digests, tags)
            (entry.actor, entry.reason) = (actor, reason)
            entry.holds = register.holds.filter { $0.tenant == tenant }.map(\.id)
            return entry
        }
        let found = register.requests.last { $0.tenant == tenant && $0.names == digests && $0.tags == tags }
        guard let found else { throw FileError.damaged(register.directory) }
        return found
    }

    // MARK: Doing

    /// Goes on with a request as far as that can be done now.
    /// - Parameter report: is given each step, those too that found nothing.
    /// - Returns: what is left; nothing where the request is complete.
    mutating func run(_ request: ErasureRequest, report: (Step) throws -> Void) async throws -> [Left] {
        if let hold = register.hold(on: request.tenant, names: request.names) { throw Held(hold: hold) }
        guard let lock = try register.lockPlaces() else {
            throw ErasureFailure(
                "another process erases, restores or replays: `weir erase apply` does this one after that")
        }
        defer { withExtendedLifetime(lock) {} }
        try await Tombstones.awaitTaken(register)
        var request = try await noteKeys(of: request)
        // What was looked into once, and has nothing of the subject, need not be looked into again.
        var empty: Set<String> = []
        var (held, holds) = try await heldTraces(of: request, &empty)
        let isBegun = request.tombstoneAt != nil
        request = try await begin(request)
        // What came since it was asked for can be looked into by now.
        if !isBegun {
            request = try await noteKeys(of: request)
            (held, holds) = try await heldTraces(of: request, &empty)
        }
        let (step, backups) = try await destroyKeys(of: request)
        try await note(step, request, report)
        // Before anything is looked for: what is under way to a destination is there only when nothing of it is left.
        var left = backups + (try await settled { try places.left(of: request, at: clock()) })
        guard var group = try register.subjects(of: [request]).all.first else { return [] }
        var matcher = SubjectMatcher(group)
        let traces = try await places.traces(of: matcher, &empty, at: clock())
        try register.add(traces, of: group.family, tenant: group.tenant)
        // All of this may have taken hours, in which somebody was held.
        if try self.holds(on: request.tenant) != holds { (held, _) = try await heldTraces(of: request, &empty) }
        group = try register.subjects(of: [request]).all.first ?? group
        // The register may have more of them than it says.
        group.traces.formUnion(traces)
        // Spans there that name nobody stay: others were erased of these traces before somebody was held.
        group.traces.subtract(held)
        matcher = SubjectMatcher(group)
        try await places.erase(matcher, traces: group.traces, rewrites: rewrites, at: clock()) { step in
            try await note(step, request, report)
        }
        guard try await places.traces(of: matcher, &empty, at: clock()).isEmpty else {
            return [Left(place: "spans that came meanwhile", until: "the next `weir erase apply`")]
        }
        // What was done above is to be done there too.
        left += try await settled { try places.leftInBuckets() }
        if left.isEmpty, request.completedAt == nil {
            try register.append(at: clock()) { register in
                let isComplete = register.requests.contains { $0.id == request.id && $0.completedAt != nil }
                return isComplete ? nil : ErasureEntry(.complete, id: request.id)
            }
        }
        return left
    }

    /// The holds that there are by now.
    private mutating func holds(on tenant: String) throws(FileError) -> [ErasureEntry] {
        if register.isChanged { try register.load() }
        return register.holds.filter { $0.tenant == tenant }
    }

    /// The traces known of the subject, and of those erased before, in which somebody is held, and by which holds.
    /// - Throws: ``Held`` where the subject itself has spans in one, or nobody can tell. Then nothing more is
    ///   destroyed.
    private mutating func heldTraces(
        of request: ErasureRequest, _ empty: inout Set<String>
    ) async throws -> (traces: Set<TraceID>, holds: [ErasureEntry]) {
        while true {
            let holds = try holds(on: request.tenant)
            guard let first = holds.first else { return ([], []) }
            if let hold = register.hold(on: request.tenant, names: request.names) { throw Held(hold: hold) }
            let time = request.tombstoneAt ?? request.at
            let unknown = try await settled { try places.unsearched(before: time, for: holds) }
            guard unknown.isEmpty else { throw Held(hold: first, unknown: unknown) }
            guard let group = try register.subjects(of: [request]).all.first else { return ([], holds) }
            let own = try await places.traces(of: SubjectMatcher(group), &empty, at: clock())
            let known = group.traces.union(own)
            var held: Set<TraceID> = []
            for holds in Dictionary(grouping: holds, by: { SubjectFamily(of: $0.attribute ?? "") }).values {
                let found = try await traces(of: holds, among: known)
                guard found.isDisjoint(with: own) else { throw try await heldBy(holds, own) }
                held.formUnion(found)
            }
            // This may have taken hours, too.
            if try self.holds(on: request.tenant) == holds { return (held, holds) }
        }
    }

    private func traces(of holds: [ErasureEntry], among known: Set<TraceID>) async throws -> Set<TraceID> {
        guard !known.isEmpty, let group = register.subject(of: holds) else { return [] }
        var empty: Set<String> = []
        return try await places.traces(of: SubjectMatcher(group), among: known, &empty, at: clock())
    }

    /// Which of the holds it is.
    private func heldBy(_ holds: [ErasureEntry], _ own: Set<TraceID>) async throws -> Held {
        for hold in holds {
            let found = try await traces(of: [hold], among: own)
            if !found.isEmpty { return Held(hold: hold, traces: found.count) }
        }
        return Held(hold: holds[0], traces: own.count)
    }

    /// Makes the subject a tombstone, where a request had to wait for that.
    private mutating func begin(_ request: ErasureRequest) async throws -> ErasureRequest {
        guard request.tombstoneAt == nil else { return request }
        try register.append(at: clock()) { register in
            if let hold = register.hold(on: request.tenant, names: request.names) { throw Held(hold: hold) }
            let isBegun = register.tombstones.contains { $0.id == request.id }
            return isBegun ? nil : ErasureEntry(.clear, id: request.id)
        }
        try await Tombstones.awaitTaken(register)
        return register.requests.first { $0.id == request.id } ?? request
    }

    private mutating func note(
        _ step: Step, _ request: ErasureRequest, _ report: (Step) throws -> Void
    ) async throws {
        if !step.isEmpty {
            try register.append(at: clock()) { _ in
                var entry = ErasureEntry(.step, id: request.id)
                (entry.place, entry.counts, entry.rewritten) = (step.place, step.counts, step.rewritten)
                return entry
            }
        }
        try report(step)
    }

    /// What may have spans from before the tombstone. A running Weir is about to let go of its journals, and of what a
    /// bucket has, so it is given a moment.
    private func settled(_ find: () throws -> [Left]) async throws -> [Left] {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            let left = try find()
            guard !left.isEmpty, ContinuousClock.now < deadline, try Tombstones.isServing(register.directory) else {
                return left
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Of a request that was made when nobody could tell what stands for the person in the key store.
    private func unnamedKeys(of request: ErasureRequest) -> [Left] {
        let isSaidAgain = register.requests.contains {
            $0.tenant == request.tenant && $0.names == request.names && !$0.tags.isEmpty
        }
        guard !places.rings.isEmpty, request.completedAt == nil, !isSaidAgain else { return [] }
        return [
            Left(
                place: "keys: which are the person's could not be told, without their store and the key encryption key",
                until: "the same `weir erase` is said again when both are there")
        ]
    }

    /// Writes down which data keys are the subject's, also those that were destroyed: by them it is known what is the
    /// subject's though its name is ciphertext, and which files have some of that.
    /// - Returns: the request with them.
    private mutating func noteKeys(of request: ErasureRequest) async throws -> ErasureRequest {
        var found: Set<UInt64> = []
        for ring in places.rings {
            for tag in request.tags {
                let selection = KeySelection.subject(tenant: request.tenant, tag: tag)
                found.formUnion(try await ring.store.run { database throws(KeyError) in try database.ids(selection) })
            }
        }
        try register.append(at: clock()) { register in
            let known = register.requests.first { $0.id == request.id }?.dataKeys ?? []
            let new = found.subtracting(known)
            guard !new.isEmpty else { return nil }
            var entry = ErasureEntry(.keys, id: request.id)
            entry.dataKeys = new.sorted()
            return entry
        }
        return register.requests.first { $0.id == request.id } ?? request
    }

    /// - Returns: what was done, and backups that are elsewhere with the keys.
    private func destroyKeys(of request: ErasureRequest) async throws -> (Step, [Left]) {
        var step = Step(place: "keys")
        guard !request.tags.isEmpty else { return (step, unnamedKeys(of: request)) }
        var count = 0
        var missing: Set<String> = []
        var failed: [String: KeyError] = [:]
        for ring in places.rings {
            ring.readEncryptionKeys()
            for tag in request.tags {
                let selection = KeySelection.subject(tenant: request.tenant, tag: tag)
                let destroyed = try await SubjectKeys(ring: ring, register.backups).destroy(selection, at: clock())
                count += destroyed.count + destroyed.backups.reduce(0) { $0 + $1.count }
                missing.formUnion(destroyed.missingBackups)
                failed.merge(destroyed.failedBackups) { first, _ in first }
            }
        }
        step.counts = [.init(name: "data keys destroyed", value: count)]
        return (
            step,
            missing.sorted().map { path in
                Left(
                    place: "keys: the backup \(path), which is not there and has them",
                    until: "it is there again, or `weir keys backup --forget \(path)` says that it is gone")
            }
                + failed.sorted(by: { $0.key < $1.key }).map { path, error in
                    Left(
                        place: "keys: the backup \(path), in which they cannot be destroyed: \(error)",
                        until: "that can be done, or it is removed and `weir keys backup --forget \(path)` says so")
                }
        )
    }
}
