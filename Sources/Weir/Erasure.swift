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

    /// A hold covers the subject.
    struct Held: Error {
        let hold: ErasureEntry
    }

    let configuration: CollectorConfiguration
    /// Of Postgres: whether partitions are written anew.
    let rewrites: Bool
    private(set) var register: ErasureRegister
    private let clock: @Sendable () -> Timestamp
    private let places: ErasurePlaces

    init(
        _ configuration: CollectorConfiguration, rewrites: Bool = false,
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now
    ) throws {
        self.configuration = configuration
        self.rewrites = rewrites
        self.clock = clock
        register = try ErasureRegister(configuration.service.erasure.directory)
        places = ErasurePlaces(configuration)
    }

    /// The exporters that have brought spans to where nothing is erased from here.
    var elsewhere: [String] { places.elsewhere }

    // MARK: Asking

    /// Writes the tombstone of a subject, or finds the request for it that is not complete.
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
        guard let lock = try register.lockPlaces() else { throw ErasureFailure("another process erases, or restores") }
        defer { withExtendedLifetime(lock) {} }
        try await Tombstones.awaitTaken(register)
        try await note(destroyKeys(of: request), request, report)
        // Before anything is looked for: what is under way to a destination is there only when nothing of it is left.
        var left = try await settled { try places.left(of: request, at: clock()) }
        var subjects = try register.subjects(of: [request])
        guard var group = subjects.all.first else { return [] }
        var matcher = SubjectMatcher(group)
        let traces = try await places.traces(of: matcher, at: clock())
        try register.add(traces, of: group.family, tenant: group.tenant)
        subjects = try register.subjects(of: [request])
        group = subjects.all.first ?? group
        matcher = SubjectMatcher(group)
        try await places.erase(matcher, traces: group.traces, rewrites: rewrites, at: clock()) { step in
            try await note(step, request, report)
        }
        guard try await places.traces(of: matcher, at: clock()).isEmpty else {
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

    private func destroyKeys(of request: ErasureRequest) async throws -> Step {
        var step = Step(place: "keys")
        guard !request.tags.isEmpty else { return step }
        var count = 0
        var missing: Set<String> = []
        for ring in places.rings {
            ring.readEncryptionKeys()
            for tag in request.tags {
                let selection = KeySelection.subject(tenant: request.tenant, tag: tag)
                let destroyed = try await SubjectKeys(ring: ring).destroy(selection, at: clock())
                count += destroyed.count + destroyed.backups.reduce(0) { $0 + $1.count }
                missing.formUnion(destroyed.missingBackups)
            }
        }
        step.counts = [
            .init(name: "data keys destroyed", value: count),
            .init(name: "backups of keys not found, let them expire", value: missing.count),
        ]
        return step
    }
}
