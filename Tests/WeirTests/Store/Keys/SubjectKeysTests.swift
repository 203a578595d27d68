import Testing

@testable import Weir

@Suite struct SubjectKeysTests {
    private let now = TestClock().now

    @Test(arguments: HotDatabase.allCases)
    func manyAreDestroyedInPiecesAndAgainAfterAnInterruption(database: HotDatabase) async throws {
        let now = now
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let keys = try (UInt8(0)..<12).map { try ring.key(for: "a", .field, .xaes256gcm, subject: [$0], at: now) }
        let other = try ring.key(for: "b", .field, .xaes256gcm, at: now)
        try await ring.makeDurable(keys + [other])
        let ids = keys.map(\.id)
        func destroyed() async throws -> Int {
            try await ring.store.run { database throws(KeyError) in try database.keys(ids).count { $0.isDestroyed } }
        }
        let subjects = SubjectKeys(ring: ring, piece: 5)
        let selection = KeySelection.tenant("a", before: Day(now) + 1)
        let isInterrupted = await withTaskGroup(of: Bool.self) { group in
            group.cancelAll()
            group.addTask {
                do { _ = try await subjects.destroy(selection, at: now) } catch { return error is CancellationError }
                return false
            }
            return await group.next()
        }
        #expect(isInterrupted == true)
        #expect(try await destroyed() == 5)
        #expect(try await subjects.destroy(selection, at: now).count == 7)
        #expect(try await destroyed() == 12)
        let row = try await ring.store.run { database throws(KeyError) in try database.keys([other.id]).first }
        #expect(row?.isDestroyed == false)
    }
}
