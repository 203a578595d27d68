import Testing

@testable import Weir

/// Whose keys values get, and how many there may be.
@Suite struct EncryptionSubjectTests {
    private let now = EncryptionSample.now

    private final class Lane {
        var pass: EncryptionPass

        init(_ sample: EncryptionSample, ring: Keyring? = nil, maxPersons: Int = 10_000, isBounded: Bool = true) {
            var policy = sample.policy
            policy.maxPersons = maxPersons
            pass = EncryptionPass(policy, ring ?? sample.ring, isBounded: isBounded)
        }

        @discardableResult func encrypt(_ spans: [SpanFixture], tenant: String = "acme") throws -> Batch {
            var batch = try SpanFixture.batch(spans)
            (batch.tenant, batch.receivedAt) = (tenant, EncryptionSample.now)
            try pass.encrypt(&batch)
            return batch
        }
    }

    private func span(of user: String) -> SpanFixture { SpanFixture(("a", .string("x")), ("user.id", .string(user))) }

    /// The keys that persons have, of what is encrypted of one span.
    private func persons(
        _ span: SpanFixture, _ sample: EncryptionSample, unreadable: Int = 0
    ) async throws -> [[UInt8]] {
        let payload = try sample.encrypted([span])
        let keys = await sample.ring.find(try EncryptionSample.keyIDs(payload))
        #expect(try await sample.revealed(payload).counts.unreadable == unreadable)
        return try keys.values.map { try $0.get().row.subject }.filter { !$0.isEmpty }
    }

    private func tag(_ name: String, _ sample: EncryptionSample) throws -> [UInt8] {
        try #require(
            Array(name.utf8).withUnsafeBytes { sample.ring.tag(of: "user.id", $0, tenant: "acme") })
    }

    @Test func aPersonIsFoundOnEventsAndTheResourceToo() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let maria = try tag("maria", sample)
        var named = SpanFixture(("a", .string("x")))
        named.events = [("e", []), ("f", [NewPair(key: "user.id", value: .string("maria"))])]
        #expect(try await persons(named, sample) == [maria])
        named.events = []
        named.resource = [
            NewPair(key: "user.id", value: .string("maria")), NewPair(key: "a", value: .string("of a browser")),
        ]
        #expect(try await persons(named, sample) == [maria], "the resource's own values are the person's as well")
        // Who stands nearer is meant.
        named.attributes.append(NewPair(key: "user.id", value: .string("bob")))
        let bob = try tag("bob", sample)
        #expect(try await persons(named, sample).contains(bob))
    }

    @Test func aNumberWithAPointNamesAPersonAndCiphertextAndListsDoNot() async throws {
        let sample = try await EncryptionSample(["a", "cipher"], subjects: ["user.id"])
        func found(_ value: NewValue, unreadable: Int = 0) async throws -> [[UInt8]] {
            try await persons(SpanFixture(("a", .string("x")), ("user.id", value)), sample, unreadable: unreadable)
        }
        let (half, whole) = (try tag("4.5", sample), try tag("42.0", sample))
        #expect(try await found(.double(4.5)) == [half])
        #expect(try await found(.double(42)) == [whole])
        #expect(try await found(.array([.string("maria")])) == [])
        let cipher = try sample.encrypted([SpanFixture(("cipher", .string("maria")))])
        var batch = Batch()
        try OTLPDecoder().decode(cipher, into: &batch)
        let value = String(decoding: batch.bytes(batch.attributes[0].valueRef), as: UTF8.self)
        #expect(value.hasPrefix("weir1."))
        // Where it stands now it does not open.
        #expect(try await found(.string(value), unreadable: 1) == [])
        // What only begins like it is a name like any other.
        for name in ["weir1.x", "weir1.AAAA", "weir1.\(value.dropFirst(6).reversed())", "\(value)."] {
            let named = try tag(name, sample)
            #expect(try await found(.string(name)) == [named], "\(name)")
        }
    }

    @Test func aTextThatBeginsLikeCiphertextIsFoundByItsIndex() async throws {
        let sample = try await EncryptionSample(["a"], indexed: ["a"])
        let (one, other) = (try sample.encrypted([SpanFixture(("a", .string("weir1.x")))]), "a.index")
        #expect(one.has(other) && !one.has("weir1.x"))
    }

    @Test func whatAnotherProcessorEncryptsNamesThePersonStill() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        var named = SpanFixture(("a", .string("x")))
        named.resource = [NewPair(key: "user.id", value: .string("maria"))]
        var batch = try SpanFixture.batch([named])
        let index = batch.resources[0].attributes.indices.lowerBound
        batch.arena.pointee.attributes[index].encrypt(nil)
        let payload = try sample.encrypted(&batch)
        let keys = await sample.ring.find(try EncryptionSample.keyIDs(payload))
        let maria = try tag("maria", sample)
        #expect(try keys.values.map { try $0.get().row.subject } == [maria])
    }

    @Test func aNameOfAnyLengthHasKeysAndOnlyShortOnesAreRemembered() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let lane = Lane(sample)
        for count in [3, 255, 256, 100_000] {
            let name = String(repeating: "m", count: count)
            let made = sample.ring.made
            try lane.encrypt([span(of: name), span(of: name)])
            #expect(sample.ring.made == made + 1)
            // The place of the attribute among the subjects stands behind it.
            let isKnown = lane.pass.tags.find(Array(name.utf8) + [0]) != nil
            #expect(isKnown == (count < 256))
        }
    }

    @Test func whoHasOnlySpansThatAreDroppedGetsNoKey() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        var (erased, other) = (SpanFixture(("a", .string("x"))), SpanFixture(("a", .string("x"))))
        erased.resource = [
            NewPair(key: "user.id", value: .string("maria")), NewPair(key: "a", value: .string("of a browser")),
        ]
        other.resource = [
            NewPair(key: "user.id", value: .string("bob")), NewPair(key: "a", value: .string("of a browser")),
        ]
        var batch = try SpanFixture.batch([erased, other])
        batch.drop(span: 0)
        let payload = try sample.encrypted(&batch)
        #expect(sample.ring.made == 1)
        #expect(!payload.has("maria") && !payload.has("of a browser") && payload.has("bob"))
        // What is made of a span that was sampled out names the person's resource.
        batch = try SpanFixture.batch([erased, other])
        batch.sampleOut(span: 0)
        _ = try sample.encrypted(&batch)
        #expect(sample.ring.made == 2)
    }

    @Test func aResourceThatCameWithoutSpansIsEncrypted() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let text = #"""
            {"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"of a browser"}}]}},
            {"resource":{"attributes":[{"key":"a","value":{"stringValue":"of a browser"}}]},
            "scopeSpans":[{"scope":{"attributes":[{"key":"a","value":{"stringValue":"of a scope"}}]}}]}]}
            """#
        var batch = Batch()
        let source = Array(text.utf8).withUnsafeBytes { Payload.copying($0) }
        try OTLPJSONDecoder().decode(source, into: &batch)
        let payload = try sample.encrypted(&batch)
        #expect(!payload.has("of a browser") && !payload.has("of a scope"))
        #expect(try EncryptionSample.keyIDs(payload).count == 1)
    }

    @Test func aRequestThatIsRefusedForItsNewPersonsPassesWhenItComesAgain() async throws {
        let store = try KeyStoreSample()
        let ring = KeystoreConfiguration(.file(store.keyFile), path: store.path).makeKeyring()
        #expect(await ring.open(at: now) == nil)
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let lane = Lane(sample, ring: ring)
        let many = (0..<900).map { span(of: "p\($0)") }
        #expect(throws: KeyError.tooManyNewKeys(limit: 1_000)) { try lane.encrypt(many) }
        try await ring.refresh(at: now)
        try lane.encrypt(many)
        #expect(ring.made == 900)
        // Of more than that not all would be known any more.
        let more = (0...ring.limit).map { span(of: "q\($0)") }
        #expect(throws: KeyError.tooManyPersons(limit: ring.limit)) { try lane.encrypt(more) }
    }

    @Test func aRequestIsAboutSoManyPersonsAndNoMore() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let lane = Lane(sample, maxPersons: 3)
        let spans = ["a", "b", "c", "a"].map(span)
        try lane.encrypt(spans)
        let made = sample.ring.made
        #expect(throws: KeyError.tooManyPersons(limit: 3)) { try lane.encrypt(spans + [span(of: "d")]) }
        #expect(sample.ring.made == made, "no key is made for what is refused")
        // What was acknowledged cannot be refused.
        try Lane(sample, maxPersons: 3, isBounded: false).encrypt(spans + [span(of: "d")])
    }

    @Test func oneTenantsPersonsDoNotKeepOthersFromTheirKeys() async throws {
        let store = try KeyStoreSample()
        let ring = store.ring(maxNewKeys: 10)
        #expect(await ring.open(at: now) == nil)
        let sample = try await EncryptionSample(["a"], subjects: ["user.id"])
        let lane = Lane(sample, ring: ring)
        let many = (0..<20).map { span(of: "p\($0)") }
        #expect(throws: KeyError.tooManyNewKeys(limit: 10)) { try lane.encrypt(many) }
        #expect(ring.made == 5)
        try lane.encrypt([span(of: "maria")], tenant: "other")
        #expect(throws: KeyError.self) { try lane.encrypt([span(of: "maria")]) }
        try lane.encrypt([SpanFixture(("a", .string("x")))])
        #expect(throws: KeyError.self) {
            for tenant in ["b", "c", "d"] { try lane.encrypt([span(of: "u1"), span(of: "u2")], tenant: tenant) }
        }
        #expect(ring.problem == .tooManyNewKeys(limit: 10))
        _ = try ring.key(for: "z", .journal, .xaes256gcm, at: now)
        // Nobody acknowledged anything, and nobody has to: what waits is stored.
        try await ring.refresh(at: now)
        #expect(ring.problem == nil)
        try lane.encrypt([span(of: "maria")])
        let other = try await store.open(at: now)
        let made = other.made
        try Lane(sample, ring: other).encrypt([span(of: "p1")])
        #expect(other.made == made, "it is in the store")
        // Behind a stage there is no limit but that of the request.
        try Lane(sample, ring: ring, isBounded: false).encrypt((20..<60).map { span(of: "p\($0)") })
    }

    @Test func usesOfAKeyAreCountedWhereALaneServesSeveralTenants() async throws {
        let sample = try await EncryptionSample(["a"], suite: .aes256gcm)
        let key = try sample.ring.key(for: "acme", .field, .aes256gcm, at: now)
        let lane = Lane(sample)
        for _ in 0..<3 {
            for tenant in ["acme", "other"] {
                try lane.encrypt((0..<300).map { _ in SpanFixture(("a", .string("x"))) }, tenant: tenant)
            }
        }
        #expect(key.uses.load(ordering: .relaxed) == 900)
    }

    @Test func ciphertextOfAnUnknownKeyPassesAndIsCounted() async throws {
        let (one, other) = (try await EncryptionSample(["a"]), try await EncryptionSample(["a"]))
        let lane = Lane(one)
        var batch = Batch()
        try OTLPDecoder().decode(try other.encrypted([SpanFixture(("a", .string("x")))]), into: &batch)
        (batch.tenant, batch.receivedAt) = ("acme", now)
        try lane.pass.encrypt(&batch)
        try lane.pass.encrypt(&batch)
        #expect(lane.pass.takeCounts() == EncryptionPass.Counts(encrypted: 0, passed: 2, unverified: 2))
        batch = try lane.encrypt([SpanFixture(("a", .string("x")))])
        try lane.pass.encrypt(&batch)
        #expect(lane.pass.takeCounts() == EncryptionPass.Counts(encrypted: 1, passed: 1))
    }
}
