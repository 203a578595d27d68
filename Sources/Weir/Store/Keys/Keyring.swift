import Synchronization

/// The data keys that this process works with. Lanes ask it for keys without waiting; what it makes for them is kept in
/// the store before anything that was encrypted with it is acknowledged.
final class Keyring: Sendable {
    /// Under which the key that new values are encrypted with is found.
    private struct Slot: Hashable {
        let tenant: String
        let keyClass: KeyClass
        let suite: CipherSuite
        let subject: [UInt8]
        let day: Day
    }

    private struct Locked {
        var encryptionKeys = KeyEncryptionKeys()
        /// Why there are none.
        var problem: KeyError? = .noKeyEncryptionKey("they were not read yet")
        /// Why they could not be read again.
        var stale: KeyError?
        /// They are not those of the store: what is encrypted with them now could not be read with those.
        var foreign: KeyError?
        var current: RecentValues<Slot, DataKey>
        var byID: RecentValues<UInt64, DataKey>
        /// New ones that the store does not have, by id.
        var new: [UInt64: DataKey] = [:]
        /// How many of those are persons', by tenant.
        var newOfPersons: [String: Int] = [:]
        /// What subjects are looked up by.
        var index: SecretKey?
        /// Those that were destroyed lately.
        var destroyed: Set<UInt64> = []
        /// From when on destroyed keys were not asked for yet.
        var checkedAt = Timestamp(nanoseconds: 0)
        var made = 0
        /// When the key encryption keys were read.
        var readAt: ContinuousClock.Instant?
        /// The ids of those that data keys were wrapped with, and that are not configured.
        var missing: Set<String> = []

        /// The key of a row, and a note of what it takes to have it.
        mutating func unwrap(_ row: DataKeyRow) -> Result<SecretKey, Unreadable> {
            let result = row.unwrapped(by: encryptionKeys)
            if case .failure(.noKeyEncryptionKey) = result, missing.count < Keyring.maxMissing {
                missing.insert(row.wrappedBy)
            }
            return result
        }

        mutating func noteIndex(_ row: DataKeyRow, _ result: Result<SecretKey, Unreadable>) {
            switch result {
            case .success(let secret): (index, foreign) = (secret, nil)
            case .failure(.noKeyEncryptionKey):
                foreign = .noKeyEncryptionKey(
                    "the store's keys are wrapped with \(row.wrappedBy), which is not among those here")
            case .failure: break
            }
        }

        mutating func noteNew(_ key: DataKey) {
            new[key.id] = key
            if !key.row.subject.isEmpty { newOfPersons[key.row.tenant, default: 0] += 1 }
        }

        /// One tenant's persons leave room for those of the others, and persons for what is nobody's: the keys of
        /// tenants, journals and archives.
        func hasRoom(for tenant: String, isPerson: Bool, limit: Int) -> Bool {
            guard isPerson else { return new.count < 2 * limit }
            return new.count < limit && newOfPersons[tenant, default: 0] < (limit + 1) / 2
        }

        mutating func forgetStored() {
            let waiting = new.values.filter { !$0.isInStore }
            new.removeAll(keepingCapacity: true)
            newOfPersons.removeAll(keepingCapacity: true)
            for key in waiting { noteNew(key) }
        }
    }

    /// What was destroyed is asked for once more after so long, since clocks of several processes differ.
    private static let overlap = Duration.seconds(60)
    /// Ids of key encryption keys that are missing and remembered.
    private static let maxMissing = 100

    let store: KeyStore
    /// Changes when keys were destroyed. Who keeps keys beside the ring, which may have forgotten them since, lets go
    /// of them then.
    let destructions = Atomic<Int>(0)
    private let source: KeySource
    /// Keys that are remembered, at least.
    let limit: Int
    private let maxNewKeys: Int
    private let locked: Mutex<Locked>

    /// - Parameters:
    ///   - limit: see ``limit``.
    ///   - maxNewKeys: of persons, that wait for the store.
    init(_ source: KeySource, _ store: KeyStore, limit: Int = 65_536, maxNewKeys: Int = 50_000) {
        self.source = source
        self.store = store
        self.limit = limit
        self.maxNewKeys = maxNewKeys
        locked = Mutex(Locked(current: RecentValues(limit: limit), byID: RecentValues(limit: limit)))
    }

    /// Reads the key encryption keys and today's data keys. Where something is missing the ring is there nevertheless:
    /// it gives no key to encrypt with, and those to decrypt with that it can have.
    /// - Returns: what is wrong.
    func open(at now: Timestamp) async -> KeyError? {
        take(await store.read(source))
        do throws(KeyError) {
            let limit = limit
            let rows = try await store.run { database throws(KeyError) in
                try database.keys(of: Day(now), limit: limit)
            }
            take(rows)
            locked.withLock { $0.checkedAt = now }
            if locked.withLock({ $0.index == nil && ($0.problem ?? $0.foreign) == nil }) {
                try await makeIndex(at: now)
            }
        } catch {
            return error
        }
        return problem
    }

    /// Reads what may have changed: the key encryption keys, and which data keys were destroyed. Stores what waits of
    /// requests that were refused in the end. Called about once a second.
    func refresh(at now: Timestamp) async throws(KeyError) {
        let isDue = locked.withLock { $0.readAt.map { ContinuousClock.now - $0 >= source.interval } ?? true }
        if isDue { take(await store.read(source)) }
        if let problem = locked.withLock({ $0.problem }) { throw problem }
        let from = locked.withLock { $0.checkedAt.nanoseconds }
        let age = Duration.nanoseconds(Int64(now.nanoseconds - min(now.nanoseconds, from))) + Self.overlap
        let ids = Set(
            try await store.run { database throws(KeyError) in try database.destroyed(within: age, at: now) })
        if locked.withLock({ $0.index == nil && $0.foreign == nil }) {
            try await makeIndex(at: now)
        } else if isDue || locked.withLock({ $0.foreign != nil }) {
            // It may be wrapped with another one by now, and they may be others.
            take(try await store.run { database throws(KeyError) in try database.keys(of: Day(now), limit: 0) })
        }
        locked.withLock { locked in
            locked.checkedAt = now
            guard ids != locked.destroyed else { return }
            locked.destroyed = ids
            func isGone(_ key: DataKey) -> Bool {
                guard ids.contains(key.id) else { return false }
                key.isDestroyed.store(true, ordering: .relaxed)
                return true
            }
            locked.current.forget(where: isGone)
            locked.byID.forget(where: isGone)
            destructions.add(1, ordering: .relaxed)
        }
        try await makeDurable(locked.withLock { Array($0.new.values) })
        if let foreign = locked.withLock({ $0.foreign }) { throw foreign }
    }

    /// Why nothing can be encrypted, or nothing for persons who have no key yet; nil where it can.
    var problem: KeyError? {
        locked.withLock {
            $0.problem ?? $0.foreign ?? ($0.new.count < maxNewKeys ? nil : .tooManyNewKeys(limit: maxNewKeys))
        }
    }
    /// Why the key encryption keys are those that were read before; nil where they are what the source says.
    var stale: KeyError? { locked.withLock { $0.stale } }
    /// The ids of key encryption keys that data keys were wrapped with, and that are not configured.
    var missing: [String] { locked.withLock { $0.missing.sorted() } }
    /// Data keys that were made.
    var made: Int { locked.withLock { $0.made } }
    var encryptionKeys: KeyEncryptionKeys { locked.withLock { $0.encryptionKeys } }

    func readEncryptionKeys() {
        take(Result { () throws(KeyError) in try source.read() })
    }

    private func take(_ result: Result<KeyEncryptionKeys, KeyError>) {
        locked.withLock { locked in
            locked.readAt = .now
            switch result {
            case .success(let keys):
                locked.encryptionKeys = keys
                locked.problem = nil
                locked.stale = nil
                locked.missing = locked.missing.filter { keys.key($0) == nil }
            // Those that are known stay, so that a file that is being replaced stops nothing.
            case .failure(let error) where locked.encryptionKeys.primary == nil: locked.problem = error
            case .failure(let error): locked.stale = error
            }
        }
    }

    // MARK: Encrypting

    /// The key that new values are encrypted with. Never waits. A new one is not in the store yet: see
    /// ``makeDurable(_:)``.
    /// - Parameter isBounded: what it is for can be refused still.
    func key(
        for tenant: String, _ keyClass: KeyClass, _ suite: CipherSuite, subject: [UInt8] = [], isBounded: Bool = true,
        at now: Timestamp
    ) throws(KeyError) -> DataKey {
        let slot = Slot(tenant: tenant, keyClass: keyClass, suite: suite, subject: subject, day: Day(now))
        return try locked.withLock { locked throws(KeyError) in
            if let key = locked.current.find(slot), key.isUsable { return key }
            if let problem = locked.problem ?? locked.foreign { throw problem }
            guard let primary = locked.encryptionKeys.primary else { throw .noKeyEncryptionKey("none is configured") }
            if isBounded, !locked.hasRoom(for: tenant, isPerson: !subject.isEmpty, limit: maxNewKeys) {
                throw .tooManyNewKeys(limit: maxNewKeys)
            }
            guard let secret = SecretKey.random() else { throw .openSSL }
            let row = try DataKeyRow(
                id: UInt64.random(in: 1 ... .max), tenant: tenant, keyClass, suite, subject: subject, at: now, secret,
                wrappedBy: primary)
            let key = DataKey(row, secret, isDurable: false)
            locked.noteNew(key)
            locked.current.keep(key, for: slot)
            locked.byID.keep(key, for: key.id)
            locked.made += 1
            return key
        }
    }

    /// Returns when the store has all of the keys.
    func makeDurable(_ keys: [DataKey]) async throws(KeyError) {
        guard keys.contains(where: { !$0.isInStore }) else { return }
        try await store.keep(keys) { locked.withLock { Array($0.new.values) } }
        locked.withLock { $0.forgetStored() }
    }

    /// What an index key is used for. What is made for one is nothing for another.
    enum Purpose: String {
        case subject = "weir subject"
        /// Equal values of an encrypted attribute have the same.
        case index = "weir index"
    }

    /// What stands for a subject in the store, or for a value in an index; nil where that cannot be made.
    /// - Parameters:
    ///   - attribute: such as `user.id`.
    ///   - value: of it, as it stands in spans.
    func tag(
        of attribute: String, _ value: UnsafeRawBufferPointer, tenant: String, for purpose: Purpose = .subject
    ) -> [UInt8]? {
        guard let index = locked.withLock({ $0.index }) else { return nil }
        var message = Array(purpose.rawValue.utf8)
        for text in [tenant, attribute] {
            withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian) { message += $0 }
            message += text.utf8
        }
        message += value
        let tag = index.authenticate(message).prefix(DataKeyRow.tagSize)
        return tag.isEmpty ? nil : Array(tag)
    }

    private func makeIndex(at now: Timestamp) async throws(KeyError) {
        guard let primary = encryptionKeys.primary else { return }
        guard let secret = SecretKey.random() else { throw .openSSL }
        let row = try DataKeyRow(
            id: UInt64.random(in: 1 ... .max), tenant: "", .index, .xaes256gcm, subject: [], at: now, secret,
            wrappedBy: primary)
        let rows = try await store.run { database throws(KeyError) in
            // Another process may have been first.
            try database.insert([row])
            return try database.keys(of: Day(now), limit: 1).filter { $0.keyClass == .index }
                + database.keys([row.id])
        }
        take(rows)
    }

    /// Takes what the store has for keys to encrypt with.
    private func take(_ rows: [DataKeyRow]) {
        locked.withLock { locked in
            for row in rows {
                let result = locked.unwrap(row)
                if row.keyClass == .index {
                    locked.noteIndex(row, result)
                    continue
                }
                guard case .success(let secret) = result else { continue }
                let key = DataKey(row, secret, isDurable: true)
                locked.byID.keep(key, for: key.id)
                // Nobody knows how many messages other processes have encrypted with it.
                guard row.suite == .xaes256gcm else { continue }
                let slot = Slot(
                    tenant: row.tenant, keyClass: row.keyClass, suite: row.suite, subject: row.subject, day: row.day)
                locked.current.keep(key, for: slot)
            }
        }
    }

    // MARK: Decrypting

    /// The key with the id, if it is at hand.
    func known(_ id: UInt64) -> DataKey? {
        locked.withLock { $0.byID.find(id) }
    }

    /// - Returns: for each id the key, or why it cannot be had.
    func find(_ ids: Set<UInt64>) async -> [UInt64: Result<DataKey, Unreadable>] {
        var found: [UInt64: Result<DataKey, Unreadable>] = [:]
        for id in ids {
            if let key = known(id), !key.isDestroyed.load(ordering: .relaxed) { found[id] = .success(key) }
        }
        let missing = ids.filter { found[$0] == nil }
        guard !missing.isEmpty else { return found }
        var rest = Array(missing)[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(500))
            rest = rest.dropFirst(some.count)
            do throws(KeyError) {
                let rows = try await store.run { database throws(KeyError) in try database.keys(some) }
                for id in some { found[id] = .failure(.unknownKey) }
                for row in rows { found[row.id] = remember(row) }
            } catch {
                for id in some { found[id] = .failure(.unavailable) }
            }
        }
        return found
    }

    // MARK: On a thread that may wait

    /// As ``key(for:_:_:subject:at:)``, and the store has it.
    func durableKey(
        for tenant: String, _ keyClass: KeyClass, _ suite: CipherSuite, at now: Timestamp
    ) throws(KeyError) -> DataKey {
        // That too many new ones wait is no reason.
        if locked.withLock({ $0.problem != nil }) { readEncryptionKeys() }
        let key = try key(for: tenant, keyClass, suite, at: now)
        guard !key.isInStore else { return key }
        try store.wait { store throws(KeyError) in
            try store.keep([key]) { locked.withLock { Array($0.new.values) } }
        }
        locked.withLock { $0.forgetStored() }
        return key
    }

    /// The key with the id, or why it cannot be had.
    func found(_ id: UInt64) -> Result<DataKey, Unreadable> {
        if let key = known(id), !key.isDestroyed.load(ordering: .relaxed) { return .success(key) }
        let rows: [DataKeyRow]
        do throws(KeyError) {
            rows = try store.wait { store throws(KeyError) in
                try store.run { database throws(KeyError) in try database.keys([id]) }
            }
        } catch {
            return .failure(.unavailable)
        }
        guard let row = rows.first else { return .failure(.unknownKey) }
        let key = remember(row)
        guard case .failure(.noKeyEncryptionKey) = key else { return key }
        // Nobody has read them yet, or they were rotated since.
        readEncryptionKeys()
        return remember(row)
    }

    private func remember(_ row: DataKeyRow) -> Result<DataKey, Unreadable> {
        locked.withLock { locked in
            // Somebody may have destroyed it since the row was read.
            if locked.destroyed.contains(row.id) { return .failure(.destroyed) }
            return locked.unwrap(row).map { secret in
                let key = DataKey(row, secret, isDurable: true)
                locked.byID.keep(key, for: key.id)
                return key
            }
        }
    }
}
