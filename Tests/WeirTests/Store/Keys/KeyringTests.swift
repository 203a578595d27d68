import Foundation
import Testing

@testable import Weir

@Suite struct KeyringTests {
    private let now = TestClock().now

    private func tomorrow() -> Timestamp { Timestamp(nanoseconds: now.nanoseconds + Day.nanoseconds) }

    @Test(arguments: HotDatabase.allCases)
    func oneKeyATenantClassSuiteSubjectAndDay(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        #expect(try ring.key(for: "a", .field, .xaes256gcm, at: now) === key)
        let others = try [
            ring.key(for: "b", .field, .xaes256gcm, at: now), ring.key(for: "a", .journal, .xaes256gcm, at: now),
            ring.key(for: "a", .field, .aes256gcm, at: now), ring.key(for: "a", .field, .xaes256gcm, at: tomorrow()),
            ring.key(for: "a", .field, .xaes256gcm, subject: [1], at: now),
        ]
        #expect(Set((others + [key]).map(\.id)).count == 6)
        #expect(ring.made == 6)
    }

    @Test(arguments: HotDatabase.allCases)
    func aKeyIsDurableBeforeAnythingIsAcknowledgedAndUsedAgainAfterARestart(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        let person = try ring.key(for: "a", .field, .xaes256gcm, subject: [7], at: now)
        let short = try ring.key(for: "a", .field, .aes256gcm, at: now)
        #expect(!key.isInStore)
        // What waits goes with it.
        try await ring.makeDurable([key])
        for key in [key, person, short] { #expect(key.isInStore) }
        try await ring.makeDurable([key, person, short])
        let again = try await sample.open(at: now)
        #expect(try again.key(for: "a", .field, .xaes256gcm, at: now).id == key.id)
        #expect(try again.key(for: "a", .field, .xaes256gcm, subject: [7], at: now).id == person.id)
        #expect(again.made == 0)
        // Nobody knows how often it was used: SP 800-38D counts.
        #expect(try again.key(for: "a", .field, .aes256gcm, at: now).id != short.id)
        let found = await again.find([key.id, short.id, 5])
        #expect(try found[key.id]?.get().secret.authenticate([1]) == key.secret.authenticate([1]))
        #expect(try found[short.id]?.get().id == short.id)
        #expect(throws: Unreadable.unknownKey) { try found[5]?.get() }
    }

    @Test(arguments: HotDatabase.allCases)
    func aKeyThatWasUsedTooOftenIsFollowedByAnother(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .aes256gcm, at: now)
        key.uses.store(CipherSuite.maxUses, ordering: .relaxed)
        #expect(try ring.key(for: "a", .field, .aes256gcm, at: now).id != key.id)
    }

    @Test func withoutAKeyEncryptionKeyNothingIsEncryptedAndTheReasonIsSaid() async throws {
        let empty = try KeyStoreSample(keys: nil)
        let ring = empty.ring()
        guard case .noKeyEncryptionKey(let reason) = await ring.open(at: now) else {
            Issue.record("found a key, wanted none")
            return
        }
        #expect(reason.contains("kek: no such file"))
        #expect(throws: KeyError.self) { try ring.key(for: "a", .field, .xaes256gcm, at: now) }
        try empty.write("nonsense")
        try await #require(throws: KeyError.self) { try await ring.refresh(at: now) }
        try empty.write(KeyStoreSample.first, mode: 0o640)
        let problem = await #expect(throws: KeyError.self) { try await ring.refresh(at: now) }
        #expect("\(try #require(problem))".contains("found mode 0640, wanted 0600"))
        // Once it is there, work goes on.
        try empty.write(KeyStoreSample.first)
        try await ring.refresh(at: now)
        _ = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        #expect(ring.tag(of: "user.id", UnsafeRawBufferPointer(start: nil, count: 0), tenant: "a") != nil)
    }

    @Test func keysAreReadInBase64AndHexadecimal() throws {
        let base64 = "ERERERERERERERERERERERERERERERERERERERERERE="
        let ids = try [KeyStoreSample.first, base64, " \(base64)\n", "# a comment\n\(base64) # of today"].map {
            try KeyEncryptionKeys(parsing: $0).keys.map(\.id)
        }
        #expect(Set(ids).count == 1 && ids[0].count == 1)
        #expect(try KeyEncryptionKeys(parsing: "\(KeyStoreSample.first),\(KeyStoreSample.second)").keys.count == 2)
        for wrong in ["", "abc", String(repeating: "1", count: 63), String(repeating: "zz", count: 32)] {
            let error = #expect(throws: KeyError.self) { try KeyEncryptionKeys(parsing: wrong) }
            let said = try "\(#require(error))"
            #expect(wrong.isEmpty || !said.contains(wrong))
        }
    }

    @Test func aStoreThatCannotBeWrittenRefuses() async throws {
        let sample = try KeyStoreSample()
        let ring = Keyring(
            .file(sample.keyFile), KeyStore(SQLiteKeyDatabase("\(sample.keyFile)/no/keys.db")), limit: 10)
        #expect(await ring.open(at: now) != nil)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        await #expect(throws: KeyError.self) { try await ring.makeDurable([key]) }
        #expect(!key.isInStore)
    }

    @Test(arguments: HotDatabase.allCases)
    func whatWaitsIsStoredThoughNobodyAsksForIt(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = sample.ring(maxNewKeys: 100)
        #expect(await ring.open(at: now) == nil)
        let keys = try (0..<50).map { try ring.key(for: "a", .field, .xaes256gcm, subject: [$0], at: now) }
        #expect(throws: KeyError.tooManyNewKeys(limit: 100)) {
            try ring.key(for: "a", .field, .xaes256gcm, subject: [50], at: now)
        }
        try await ring.refresh(at: now)
        #expect(keys.count { $0.isInStore } == 50)
        _ = try ring.key(for: "a", .field, .xaes256gcm, subject: [50], at: now)
    }

    @Test func thatManyKeysWaitIsNoReasonToReadTheKeyEncryptionKeysAgain() async throws {
        let sample = try KeyStoreSample()
        let ring = sample.ring(maxNewKeys: 2)
        #expect(await ring.open(at: now) == nil)
        for tenant in ["a", "b"] { _ = try ring.key(for: tenant, .field, .xaes256gcm, subject: [1], at: now) }
        #expect(ring.problem == .tooManyNewKeys(limit: 2))
        try sample.write("nonsense")
        #expect(try ring.durableKey(for: "a", .archive, .xaes256gcm, at: now).isInStore)
        #expect(ring.stale == nil)
    }

    @Test(arguments: HotDatabase.allCases)
    func aSubjectIsFoundAgainAndNotGuessed(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let again = try await sample.open(at: now)
        func tag(_ ring: Keyring, _ attribute: String, _ value: String, _ tenant: String) -> [UInt8]? {
            Array(value.utf8).withUnsafeBytes { ring.tag(of: attribute, $0, tenant: tenant) }
        }
        let one = tag(ring, "user.id", "maria", "a")
        #expect(one?.count == 16)
        #expect(tag(again, "user.id", "maria", "a") == one)
        for other in [
            tag(ring, "user.id", "mario", "a"), tag(ring, "enduser.id", "maria", "a"),
            tag(ring, "user.id", "maria", "b"), tag(ring, "user.idmaria", "", "a"),
        ] { #expect(other != one) }
    }

    @Test(arguments: HotDatabase.allCases)
    func subjectsAreFoundAlsoWhereTheDayHasMoreKeysThanAreRemembered(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        try await ring.makeDurable((0..<50).map { try ring.key(for: "t\($0)", .field, .xaes256gcm, at: now) })
        let other = sample.ring(limit: 1)
        #expect(await other.open(at: now) == nil)
        let tag = Array("maria".utf8).withUnsafeBytes { other.tag(of: "user.id", $0, tenant: "a") }
        #expect(tag?.count == 16)
    }

    @Test(arguments: HotDatabase.allCases)
    func whatWasDestroyedIsGoneEverywhere(database: HotDatabase) async throws {
        // What a transaction of another test may still read would stay in the table's file.
        let sample = try KeyStoreSample(in: database == .postgres ? PostgresSchema(hasOwnDatabase: true) : nil)
        let ring = try await sample.open(at: now)
        let other = try await sample.open(at: now)
        let person = try ring.key(for: "a", .field, .xaes256gcm, subject: [9], at: now)
        let tenant = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        try await ring.makeDurable([person, tenant])
        _ = await other.find([person.id])
        let now = now
        func destroy() async throws -> [UInt64] {
            try await other.store.run { database throws(KeyError) in
                try database.destroy(.subject(tenant: "a", tag: [9]), at: now)
            }
        }
        #expect(try await destroy() == [person.id])
        for ring in [ring, other] {
            try await ring.refresh(at: now)
            let found = await ring.find([person.id, tenant.id])
            #expect(throws: Unreadable.destroyed) { try found[person.id]?.get() }
            #expect(try found[tenant.id]?.get().id == tenant.id)
        }
        #expect(!person.isUsable)
        #expect(try ring.key(for: "a", .field, .xaes256gcm, subject: [9], at: now).id != person.id)
        let row = try await ring.store.run { database throws(KeyError) in try database.keys([person.id]) }
        #expect(row.first?.wrapped == [] && row.first?.destroyedAt != nil)
        let wrapped = person.row.wrapped.hexadecimal
        if let schema = sample.schema {
            // A transaction of another test may still see the row as it was. Whatever is destroyed tidies up again.
            let deadline = ContinuousClock.now + .seconds(300)
            while try schema.tableFile("data_keys").contains(wrapped), ContinuousClock.now < deadline {
                _ = try await destroy()
            }
            #expect(try !schema.tableFile("data_keys").contains(wrapped), "it is in the table's file")
        }
        for file in sample.directory.files() {
            #expect(
                !String(decoding: try sample.directory.contents(of: file), as: UTF8.self).contains(wrapped), "\(file)")
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func aKeyThatWasDestroyedWhileItWasReadIsNotRemembered(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let person = try ring.key(for: "a", .field, .xaes256gcm, subject: [9], at: now)
        try await ring.makeDurable([person])
        let now = now
        _ = try await ring.store.run { database throws(KeyError) in try database.destroy(.id(person.id), at: now) }
        try await ring.refresh(at: now)
        // The row as somebody has read it before.
        let sql = "DELETE FROM data_keys WHERE class <> 3"
        if let schema = sample.schema {
            try schema.open().run(sql)
        } else {
            let file = try SQLiteFile(sample.path, SQLiteMigration.keys, at: now)
            try file.write(at: now) { db in try db.execute(sql: sql) }
            file.close()
        }
        try await ring.store.run { database throws(KeyError) in try database.insert([person.row]) }
        let found = await ring.find([person.id])
        #expect(throws: Unreadable.destroyed) { try found[person.id]?.get() }
        #expect(throws: Unreadable.destroyed) { try ring.found(person.id).get() }
        #expect(ring.known(person.id) == nil)
    }

    @Test(arguments: HotDatabase.allCases)
    func aRowOfAnotherKeyIsDamaged(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let one = try ring.key(for: "a", .field, .xaes256gcm, at: now).row
        let two = try ring.key(for: "b", .field, .xaes256gcm, at: now).row
        let keys = ring.encryptionKeys
        #expect((try? one.unwrapped(by: keys).get()) != nil)
        let swapped = DataKeyRow(
            id: one.id, tenant: one.tenant, keyClass: one.keyClass, suite: one.suite, day: one.day,
            subject: one.subject, createdAt: one.createdAt, wrappedBy: two.wrappedBy, wrapped: two.wrapped,
            commitment: two.commitment, destroyedAt: nil)
        #expect(throws: Unreadable.damaged) { try swapped.unwrapped(by: keys).get() }
        #expect(throws: Unreadable.noKeyEncryptionKey) { try one.unwrapped(by: KeyEncryptionKeys()).get() }
    }

    @Test(arguments: HotDatabase.allCases)
    func theAuditGrowsOnly(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let entry = KeyAuditEntry(at: now, actor: "root", action: "decrypt", detail: "3 values")
        try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
        #expect(try await ring.store.run { database throws(KeyError) in try database.audits(limit: 10) } == [entry])
        let changes = [
            "DELETE FROM key_audit", "UPDATE key_audit SET actor = 'nobody'",
            "UPDATE OR REPLACE key_audit SET actor = 'nobody'",
            "REPLACE INTO key_audit (id, at, actor, action, detail) VALUES (1, 0, 'nobody', 'x', 'y')",
            "INSERT OR REPLACE INTO key_audit (rowid, at, actor, action, detail) VALUES (1, 0, 'nobody', 'x', 'y')",
        ]
        if let schema = sample.schema {
            for sql in changes.prefix(2) + ["TRUNCATE key_audit"] {
                let error = #expect(throws: PostgresError.self) { try schema.open().run(sql) }
                #expect(try #require(error).message == "the audit grows only")
            }
            return
        }
        let file = try SQLiteFile(sample.path, SQLiteMigration.keys, at: now)
        for sql in changes {
            #expect(throws: SQLiteFailure.self) { try file.write(at: now) { db in try db.execute(sql: sql) } }
        }
        file.close()
        try await ring.store.run { database throws(KeyError) in try database.audit(entry) }
        let all = try await ring.store.run { database throws(KeyError) in try database.audits(limit: 10) }
        #expect(all == [entry, entry])
    }

    @Test(arguments: HotDatabase.allCases)
    func onlyTheOwnerMayReadTheStoreAndItsBackups(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = try await sample.open(at: now)
        let key = try ring.key(for: "a", .field, .xaes256gcm, at: now)
        try await ring.makeDurable([key])
        let backup = "\(sample.directory.path)/backup.db"
        let now = now
        try await ring.store.run { database throws(KeyError) in try database.backUp(to: backup, at: now) }
        for path in (database == .sqlite ? [sample.path] : []) + [backup] {
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600, "\(path)")
        }
        let restored = Keyring(.file(sample.keyFile), KeyStore(SQLiteKeyDatabase(backup)), limit: 10)
        #expect(await restored.open(at: now) == nil)
        #expect(try await restored.find([key.id])[key.id]?.get().id == key.id)
        await #expect(throws: KeyError.self) {
            try await ring.store.run { database throws(KeyError) in try database.backUp(to: backup, at: now) }
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func whatIsRememberedIsBounded(database: HotDatabase) async throws {
        let sample = try KeyStoreSample(database)
        let ring = sample.ring(limit: 10)
        #expect(await ring.open(at: now) == nil)
        var values = RecentValues<Int, Int>(limit: 10)
        for number in 0..<1_000 { values.keep(number, for: number) }
        #expect(values.find(999) == 999 && values.find(995) == 995 && values.find(900) == nil)
        let keys = try (0..<100).map { try ring.key(for: "t\($0)", .field, .xaes256gcm, at: now) }
        try await ring.makeDurable(keys)
        // What was forgotten is found in the store.
        #expect(ring.known(keys[0].id) == nil)
        let found = await ring.find(Set(keys.map(\.id)))
        #expect(found.values.allSatisfy { (try? $0.get()) != nil })
    }
}
