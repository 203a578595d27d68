import Foundation
import Testing

@testable import Weir

@Suite struct ErasedKeysTests {
    private let directory: TemporaryDirectory
    private let now = TestClock().now
    /// When the keys were made that a copy has.
    private var before: Timestamp { Timestamp(nanoseconds: now.nanoseconds - Day.nanoseconds) }
    private let tag = [UInt8](repeating: 7, count: 16)

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Subjects whose keys were destroyed.
    private func erased(_ tags: [[UInt8]]? = nil) throws -> ErasureRegister {
        var register = try ErasureRegister(directory.path)
        for (number, tag) in (tags ?? [tag]).enumerated() {
            try register.append(at: now) { _ in
                var entry = ErasureEntry(.request, id: "r\(number)")
                (entry.tenant, entry.attribute, entry.tags) = ("a", "user.id", [tag, [1]])
                return entry
            }
            #expect(register.requests.last?.isPastKeys == false)
            try register.append(at: now) { _ in ErasureEntry(.complete, id: "r\(number)") }
        }
        return register
    }

    private func alive(_ tags: [[UInt8]], _ ring: Keyring) async throws -> [[UInt8]: Timestamp] {
        try await ring.store.run { database throws(KeyError) in try database.subjects(tags, of: "a") }
    }

    @Test(arguments: HotDatabase.allCases)
    func keysOfACopyThatWasPutBackAreDestroyedAgain(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        var register = try erased()
        try await ErasedKeys(register).destroy(in: [ring], &register, at: now)
        // As the copy has them: the person's, the tenant's, and the same tag of another tenant.
        let keys = try [
            ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: before),
            ring.key(for: "a", .field, .xaes256gcm, at: before),
            ring.key(for: "b", .field, .xaes256gcm, subject: tag, at: before),
        ]
        try await ring.makeDurable(keys)
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        // Nobody is shown anything meanwhile, neither by a command nor by one who runs.
        for erased in [ErasedKeys(register), tombstones.snapshot.keys] {
            let found = erased.without(await ring.find(Set(keys.map(\.id))))
            #expect(throws: Unreadable.destroyed) { try found[keys[0].id]?.get() }
            #expect(try found[keys[1].id]?.get() != nil && found[keys[2].id]?.get() != nil)
        }
        #expect(tombstones.complaints == [])
        try await tombstones.destroyKeys(in: [ring], at: now)
        #expect(tombstones.complaints.count == 1)
        let left = await ring.find(Set(keys.map(\.id)))
        #expect(throws: Unreadable.destroyed) { try left[keys[0].id]?.get() }
        #expect(try left[keys[1].id]?.get() != nil && left[keys[2].id]?.get() != nil)
        // The erasure is to be done again.
        try register.load()
        #expect(register.requests.map(\.completedAt) == [nil] && register.requests[0].isReopened)
        let entries = register.entries
        try await ErasedKeys(register).destroy(in: [ring], &register, at: now)
        #expect(register.entries == entries)
        try register.append(at: now) { _ in ErasureEntry(.complete, id: "r0") }
        try await tombstones.refresh()
        #expect(tombstones.complaints == [] && register.requests[0].completedAt == now)
        await tombstones.close()
    }

    @Test(arguments: HotDatabase.allCases)
    func aKeyThatWasMadeSinceIsDestroyedAndIsNoCopys(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let other = [UInt8](repeating: 8, count: 16)
        var register = try erased([tag, other])
        let later = Timestamp(nanoseconds: now.nanoseconds + 1_000)
        // By a Weir that does not know of it.
        var keys = [try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: later)]
        keys.append(try ring.key(for: "a", .field, .aes256gcm, subject: other, at: later))
        try await ring.makeDurable(keys)
        #expect(try await alive([tag, other, [9]], ring) == [tag: later, other: later])
        let entries = register.entries
        try await ErasedKeys(register).destroy(in: [ring], &register, at: now)
        #expect(try await alive([tag, other], ring) == [:])
        #expect(register.entries == entries)
        // The oldest tells.
        keys = [try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: later)]
        keys.append(try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: before))
        keys.append(try ring.key(for: "a", .field, .aes256gcm, subject: other, at: later))
        try await ring.makeDurable(keys)
        #expect(try await alive([tag, other], ring) == [tag: before, other: later])
        try await ErasedKeys(register).destroy(in: [ring], &register, at: now)
        #expect(try await alive([tag, other], ring) == [:])
        #expect(register.requests.map(\.isReopened) == [true, false])
    }

    @Test func whatCannotBeDestroyedIsSaidAndKeepsNothingElse() async throws {
        let (one, two) = (try KeyStoreSample(), try KeyStoreSample())
        let rings = [try await one.open(at: now), try await two.open(at: now)]
        // A store that cannot be opened, in front of the others.
        let broken = Keyring(.file(one.keyFile), KeyStore(SQLiteKeyDatabase("\(one.keyFile)/no/keys.db")), limit: 10)
        let other = [UInt8](repeating: 8, count: 16)
        let register = try erased([tag, other])
        for ring in rings {
            try await ring.makeDurable(
                [tag, other].map { try ring.key(for: "a", .field, .xaes256gcm, subject: $0, at: before) })
        }
        // Nor can the backup of one.
        let (now, backup) = (now, "\(directory.path)/backup.db")
        try await rings[0].store.run { database throws(KeyError) in try database.backUp(to: backup, at: now) }
        try "no database".write(toFile: backup, atomically: true, encoding: .utf8)
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        await #expect(throws: KeyError.self) { try await tombstones.destroyKeys(in: [broken] + rings, at: now) }
        #expect(tombstones.complaints.count == 1 && tombstones.snapshot.reopened == 2)
        for ring in rings { #expect(try await alive([tag, other], ring) == [:]) }
        #expect(try ErasureRegister(register.directory).requests.map(\.isReopened) == [true, true])
        await tombstones.close()
    }

    @Test func underAHoldThatIsPlacedDuringTheLookTheyStay() async throws {
        let sample = try KeyStoreSample()
        let ring = try await sample.open(at: now)
        var register = try erased()
        try await ring.makeDurable([try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: before)])
        let keys = ErasedKeys(register)
        var other = try ErasureRegister(directory.path)
        try other.append(at: now) { _ in
            var hold = ErasureEntry(.hold, id: "h")
            hold.tenant = "a"
            return hold
        }
        try await keys.destroy(in: [ring], &register, at: now)
        #expect(try await alive([tag], ring) == [tag: before])
        #expect(register.requests.map(\.isReopened) == [false])
    }

    @Test func underAHoldTheyStay() async throws {
        let sample = try KeyStoreSample()
        let ring = try await sample.open(at: now)
        var register = try erased()
        let key = try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: before)
        try await ring.makeDurable([key])
        try register.append(at: now) { _ in
            var hold = ErasureEntry(.hold, id: "h")
            (hold.tenant, hold.attribute, hold.names) = ("a", "session.id", [[3]])
            return hold
        }
        try await ErasedKeys(register).destroy(in: [ring], &register, at: now)
        #expect(try await ring.find([key.id])[key.id]?.get() != nil)
    }

    @Test(arguments: HotDatabase.allCases)
    func aBackupThatIsGoneIsForgotten(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let (now, paths) = (now, ["one", "two"].map { "\(sample.directory.path)/\($0).db" })
        for path in paths {
            try await ring.store.run { database throws(KeyError) in try database.backUp(to: path, at: now) }
        }
        try await ring.store.run { database throws(KeyError) in try database.forget(backup: paths[0]) }
        #expect(try await ring.store.run { database throws(KeyError) in try database.backups() } == [paths[1]])
    }
}
