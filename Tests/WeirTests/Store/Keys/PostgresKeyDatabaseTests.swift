import Testing

@testable import Weir

/// What is different where several processes share the data keys.
@Suite struct PostgresKeyDatabaseTests {
    private let sample: KeyStoreSample
    private let schema: PostgresSchema
    private let now = TestClock().now

    init() throws {
        sample = try KeyStoreSample(.postgres)
        schema = try #require(sample.schema)
    }

    private func tag(_ ring: Keyring) -> [UInt8]? {
        Array("maria".utf8).withUnsafeBytes { ring.tag(of: "user.id", $0, tenant: "a") }
    }

    @Test func processesThatBeginAtOnceAgreeOnTheIndex() async throws {
        let rings = (0..<8).map { _ in sample.ring() }
        let now = now
        let problems = await withTaskGroup(of: KeyError?.self) { group in
            for ring in rings { group.addTask { await ring.open(at: now) } }
            return await group.reduce(into: [KeyError]()) { if let problem = $1 { $0.append(problem) } }
        }
        #expect(problems.isEmpty)
        #expect(Set(rings.map { tag($0) }).count == 1 && tag(rings[0]) != nil)
        #expect(try schema.rows("SELECT count(*) FROM data_keys") == ["1"])
        #expect(try schema.rows("SELECT count(*) FROM schema_migrations") == ["1"])
    }

    @Test func whatOneProcessMadeTheOtherReads() async throws {
        let (one, other) = (try await sample.open(at: now), try await sample.open(at: now))
        let key = try one.key(for: "a", .field, .xaes256gcm, at: now)
        try await one.makeDurable([key])
        #expect(try await other.find([key.id])[key.id]?.get().row == key.row)
    }

    @Test func rotationsRaceAndEveryKeyOpensInTheEnd() async throws {
        let now = now
        let ring = try await sample.open(at: now)
        try sample.write("\(KeyStoreSample.second)\n\(KeyStoreSample.first)")
        let second = try await sample.open(at: now)
        let keys = try (0..<200).map { try ring.key(for: "t\($0)", .field, .xaes256gcm, at: now) }
        try await ring.makeDurable(keys)
        let all = second.encryptionKeys
        let rows = try await ring.store.run { database throws(KeyError) in try database.keys(after: nil, limit: 500) }
        // Two rotate to different keys, and a third destroys what they have read.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for outer in all.keys {
                let store = sample.ring().store
                let wrapped = try rows.map { row in
                    var row = row
                    row.wrapped = try #require(
                        KeyWrap.wrap(try row.unwrapped(by: all).get(), with: outer.secret))
                    row.wrappedBy = outer.id
                    return row
                }
                group.addTask {
                    for row in wrapped {
                        try await store.run { database throws(KeyError) in try database.rewrap([row]) }
                    }
                }
            }
            let store = sample.ring().store
            group.addTask {
                for key in keys.prefix(20) {
                    _ = try await store.run { database throws(KeyError) in try database.destroy(.id(key.id), at: now) }
                }
            }
            try await group.waitForAll()
        }
        let left = try await ring.store.run { database throws(KeyError) in try database.keys(after: nil, limit: 500) }
        #expect(left.count == 201)
        for row in left {
            let isDestroyed = keys.prefix(20).contains { $0.id == row.id }
            #expect(row.isDestroyed == isDestroyed && row.wrapped.isEmpty == isDestroyed)
            if !isDestroyed { #expect((try? row.unwrapped(by: all).get()) != nil) }
        }
    }

    @Test func clocksThatDifferHideNothingThatWasDestroyed() async throws {
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        try await ring.makeDurable([key])
        let past = Timestamp(nanoseconds: now.nanoseconds - Day.nanoseconds)
        let other = sample.ring()
        _ = try await other.store.run { database throws(KeyError) in try database.destroy(.id(key.id), at: past) }
        try await ring.refresh(at: now)
        #expect(!key.isUsable)
    }

    @Test func aSessionThatEndsIsFollowedByAnother() async throws {
        let sample = try KeyStoreSample(in: PostgresSchema(hasOwnDatabase: true))
        let schema = try #require(sample.schema)
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        try schema.open().run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND datname = current_database()
            """)
        // Whoever finds out that it has ended is refused, and the next one is not.
        if (try? await ring.makeDurable([key])) == nil { try await ring.makeDurable([key]) }
        #expect(key.isInStore)
        #expect(try schema.rows("SELECT count(*) FROM data_keys WHERE tenant = 'a'") == ["1"])
    }

    @Test func aDatabaseThatIsNotThereRefusesAndSaysWhy() async throws {
        let interrupt = Interrupt()
        let database = PostgresKeyDatabase(
            "host=/nowhere dbname=none password=hidden", schema: "weir_keys", interrupt: interrupt)
        let ring = Keyring(.file(sample.keyFile), KeyStore(database, interrupt: interrupt), limit: 10)
        guard case .unavailable(let reason) = await ring.open(at: now) else {
            Issue.record("found a database, wanted none")
            return
        }
        #expect(reason.contains("/nowhere") && !reason.contains("hidden"))
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        await #expect(throws: KeyError.self) { try await ring.makeDurable([key]) }
        #expect(!key.isInStore)
        let found = await ring.find([7])
        #expect(throws: Unreadable.unavailable) { try found[7]?.get() }
    }

    @Test func aSchemaOfOtherTablesIsRefused() async throws {
        try PostgresMigrations.apply(on: try schema.open())
        guard case .unavailable(let reason) = await sample.ring().open(at: now) else {
            Issue.record("took the hot tables for its own")
            return
        }
        #expect(reason.contains("newer") || reason.contains("not the one that this Weir knows"))
    }

    @Test func aBackupHasWhatWasDestroyedAsDestroyedAndTheAudit() async throws {
        let now = now
        let ring = try await sample.open(at: now)
        let keys = try ["a", "b"].map { try ring.key(for: $0, .field, .xaes256gcm, at: now) }
        try await ring.makeDurable(keys)
        let backup = "\(sample.directory.path)/backup.db"
        let entry = KeyAuditEntry(at: now, actor: "root", action: "decrypt", detail: "3 values")
        try await ring.store.run { database throws(KeyError) in
            _ = try database.destroy(.id(keys[0].id), at: now)
            try database.audit(entry)
            try database.backUp(to: backup, at: now)
        }
        #expect(try await ring.store.run { database throws(KeyError) in try database.backups() } == [backup])
        let copy = SQLiteKeyDatabase(backup)
        try copy.open(at: now)
        #expect(try copy.keys([keys[0].id]).first?.isDestroyed == true)
        #expect(try copy.keys([keys[1].id]).first == keys[1].row)
        #expect(try copy.audits(limit: 10) == [entry])
        copy.close()
        // What is destroyed later is destroyed in the copy as well; one on another machine is named.
        try schema.open().run("INSERT INTO key_backups VALUES ('elsewhere', '/backup.db', now())")
        let destroyed = try await SubjectKeys(ring: ring).destroy(.id(keys[1].id), at: now)
        #expect(destroyed.count == 1 && destroyed.backups.map(\.count) == [1])
        #expect(destroyed.missingBackups == ["elsewhere:/backup.db"])
    }
}
