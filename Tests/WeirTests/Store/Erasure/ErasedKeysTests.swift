import Foundation
import Testing

@testable import Weir

@Suite struct ErasedKeysTests {
    private let directory: TemporaryDirectory
    private let now = TestClock().now
    private let tag = [UInt8](repeating: 7, count: 16)

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// A subject whose keys were destroyed.
    private func erased() throws -> ErasureRegister {
        var register = try ErasureRegister(directory.path)
        let tag = tag
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.request, id: "r")
            (entry.tenant, entry.attribute, entry.tags) = ("a", "user.id", [tag, [1]])
            return entry
        }
        #expect(!register.requests[0].isPastKeys)
        try register.append(at: now) { _ in ErasureEntry(.complete, id: "r") }
        return register
    }

    @Test(arguments: HotDatabase.allCases)
    func keysOfACopyThatWasPutBackAreDestroyedAgain(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        var register = try erased()
        #expect(try await ErasedKeys(register).destroy(in: [ring], &register, at: now) == 0)
        // As the copy has them: the person's, the tenant's, and the same tag of another tenant.
        let keys = try [
            ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: now),
            ring.key(for: "a", .field, .xaes256gcm, at: now),
            ring.key(for: "b", .field, .xaes256gcm, subject: tag, at: now),
        ]
        try await ring.makeDurable(keys)
        let found = ErasedKeys(register).without(await ring.find(Set(keys.map(\.id))))
        #expect(throws: Unreadable.destroyed) { try found[keys[0].id]?.get() }
        #expect(try found[keys[1].id]?.get() != nil && found[keys[2].id]?.get() != nil)

        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        #expect(tombstones.complaints == [])
        try await tombstones.destroyKeys(in: [ring], at: now)
        #expect(tombstones.complaints.count == 1)
        let left = await ring.find(Set(keys.map(\.id)))
        #expect(throws: Unreadable.destroyed) { try left[keys[0].id]?.get() }
        #expect(try left[keys[1].id]?.get() != nil && left[keys[2].id]?.get() != nil)
        // The erasure is to be done again.
        try register.load()
        #expect(register.requests.map(\.completedAt) == [nil] && register.requests[0].isReopened)
        #expect(try await ErasedKeys(register).destroy(in: [ring], &register, at: now) == 0)
        try register.append(at: now) { _ in ErasureEntry(.complete, id: "r") }
        try await tombstones.refresh()
        #expect(tombstones.complaints == [] && register.requests[0].completedAt == now)
        await tombstones.close()
    }

    @Test func underAHoldTheyStay() async throws {
        let sample = try KeyStoreSample()
        let ring = try await sample.open(at: now)
        var register = try erased()
        let key = try ring.key(for: "a", .field, .xaes256gcm, subject: tag, at: now)
        try await ring.makeDurable([key])
        try register.append(at: now) { _ in
            var hold = ErasureEntry(.hold, id: "h")
            (hold.tenant, hold.attribute, hold.names) = ("a", "session.id", [[3]])
            return hold
        }
        #expect(try await ErasedKeys(register).destroy(in: [ring], &register, at: now) == 0)
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
