import Synchronization

/// What a running Weir knows of the subjects that were erased. Lanes and deliveries ask without waiting; the register
/// is read again about once a second.
actor Tombstones {
    struct Snapshot: Sendable {
        /// Another one where something differs.
        var version = 0
        var subjects = ErasedSubjects()
        /// How often journals are to be let go of: for each that was asked for, and again where it had to wait.
        var requests = 0
        /// Requests that are not complete.
        var open = 0
        /// Those of them whose keys were there again.
        var reopened = 0
        /// What nobody is shown, though it may be there again.
        var keys = ErasedKeys()
    }

    /// A name that was found on a span that is dropped, with the trace.
    private struct Found: Hashable {
        let tenant: String
        let family: SubjectFamily
    }

    private struct Locked {
        var snapshot = Snapshot()
        var keepers: [ErasureEntry] = []
        var found: [Found: Set<TraceID>] = [:]
    }

    private let directory: String
    private let serves: Bool
    private let executor = BlockingExecutor(label: "weir.erasure")
    private let locked = Mutex(Locked())
    private var register: ErasureRegister?
    private var stamps: [FileStamp?] = []
    /// As long as it is held, somebody takes tombstones.
    private var lock: FileLock?
    private var acknowledged: Int?

    /// - Parameter serves: whether those who erase wait until what they ask for was taken here.
    init(_ directory: String, serves: Bool = true) {
        self.directory = directory
        self.serves = serves
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    nonisolated var snapshot: Snapshot { locked.withLock { $0.snapshot } }

    nonisolated func mayDrop(_ day: Day) -> Bool {
        locked.withLock { !$0.keepers.contains { $0.keeps(day, at: .now()) } }
    }

    /// Traces of which spans were dropped. They are written down with the next ``refresh()``.
    nonisolated func note(_ traces: Set<TraceID>, of group: ErasedSubjects.Group) {
        let new = traces.subtracting(group.traces)
        guard !new.isEmpty else { return }
        locked.withLock {
            $0.found[Found(tenant: group.tenant, family: group.family), default: []].formUnion(new)
        }
    }

    /// Reads what has changed, and writes down what was found.
    /// - Throws: where the register cannot be read. What was known stays known.
    func refresh() throws(FileError) {
        var register = if let known = self.register { known } else { try ErasureRegister(directory) }
        let isFirst = self.register == nil
        if serves, lock == nil { lock = try FileLock.take("\(directory)/\(Self.lockName)") }
        let found = locked.withLock { locked in
            defer { locked.found = [:] }
            return locked.found
        }
        do {
            for (place, traces) in found { try register.add(traces, of: place.family, tenant: place.tenant) }
        } catch {
            locked.withLock { $0.found.merge(found) { $0.union($1) } }
            throw error
        }
        if register.isChanged { try register.load() }
        self.register = register
        let groups = snapshot.subjects.all
        let stamps = [register.stamp] + groups.map { register.stampOfTraces($0) }
        guard isFirst || stamps != self.stamps else { return }
        let subjects = try register.subjects(of: register.tombstones)
        // Those from before the files were read: what was added meanwhile is read the next time, and so is once more
        // what belongs to somebody who was not known.
        self.stamps = stamps
        let keepers = register.keepers
        let requests = register.requests
        let keys = ErasedKeys(register, subjects)
        let begun = register.entries.count { [.request, .clear].contains($0.kind) }
        locked.withLock { locked in
            locked.snapshot.subjects = subjects
            locked.snapshot.requests = begun
            locked.snapshot.open = requests.count { $0.completedAt == nil }
            locked.snapshot.reopened = requests.count { $0.isReopened }
            locked.snapshot.keys = keys
            locked.snapshot.version += 1
            locked.keepers = keepers
        }
    }

    /// Sees to it that no key of an erased subject is there again.
    func destroyKeys(in rings: [Keyring], at now: Timestamp) async throws {
        guard var register else { return }
        do {
            try await ErasedKeys(register).destroy(in: rings, &register, at: now)
        } catch {
            // What was there again is said nevertheless.
            try refresh()
            throw error
        }
        try refresh()
    }

    /// What is wrong, a line each.
    nonisolated var complaints: [String] {
        let count = snapshot.reopened
        guard count > 0 else { return [] }
        return ["erasure: a copy was put back with keys of \(count) who were erased; run `weir erase apply`"]
    }

    /// Says to those who wait for it that what was read last is heeded.
    func acknowledge() throws(FileError) {
        guard lock != nil, let count = register?.entries.count, count != acknowledged else { return }
        try Directory.replace("\(directory)/\(Self.takenName)", with: Array("\(count)\n".utf8))
        acknowledged = count
    }

    static let lockName = "running"
    static let takenName = "taken"

    func close() { lock = nil }
}

extension Tombstones {
    /// Whether a Weir is running that takes tombstones.
    static func isServing(_ directory: String) throws(FileError) -> Bool {
        try FileLock.take("\(directory)/\(lockName)") == nil
    }

    /// How many entries of the register the running Weir has taken.
    static func taken(_ directory: String) -> Int {
        let text = try? FileReader.contents(of: "\(directory)/\(takenName)", limit: 64)
        return Int(String(decoding: text ?? [], as: UTF8.self).filter(\.isNumber)) ?? 0
    }

    /// Returns when a running Weir, if there is one, has taken what the register says.
    static func awaitTaken(_ register: ErasureRegister) async throws {
        let directory = register.directory
        let deadline = ContinuousClock.now + .seconds(10)
        while try isServing(directory), taken(directory) < register.entries.count {
            guard ContinuousClock.now < deadline else {
                throw ErasureFailure("the running weir has not taken the tombstone; its log says why")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// An erasure cannot go on.
struct ErasureFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
