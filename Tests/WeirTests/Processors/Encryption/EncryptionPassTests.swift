import Testing

@testable import Weir

@Suite struct EncryptionPassTests {
    private static let values: [(String, NewValue)] = [
        ("text", .string("the secret plan")), ("empty", .string("")), ("flag", .bool(true)), ("no", .bool(false)),
        ("count", .int(-4_711)), ("ratio", .double(-0.0)), ("bytes", .bytes([0, 255, 7])),
        ("list", .array([.string("a"), .int(1), .array([.bool(true)])])),
        ("map", .kvlist([NewPair(key: "k", value: .kvlist([NewPair(key: "n", value: .double(1.5))]))])),
        ("long", .string(String(repeating: "the secret plan ", count: 10_000))),
    ]

    private final class Lane {
        var pass: EncryptionPass

        init(_ policy: EncryptionPolicy, _ ring: Keyring) {
            pass = EncryptionPass(policy, ring)
        }
    }

    private func span(_ values: [(String, NewValue)] = values) -> SpanFixture {
        var span = SpanFixture()
        span.attributes = values.map { NewPair(key: $0.0, value: $0.1) }
        return span
    }

    @Test(arguments: CipherSuite.allCases)
    func valuesOfEveryKindComeBackExactly(suite: CipherSuite) async throws {
        let sample = try await EncryptionSample(["*"], suite: suite)
        let plain = SpanFixture.request([span()])
        let sealed = try sample.encrypted([span()])
        #expect(!sealed.has("secret plan"))
        let text = try sealed.debugText
        for line in text.split(separator: "\n") { #expect(line.contains("=\"weir1.")) }
        let (opened, counts) = try await sample.revealed(sealed)
        #expect(try opened.written == plain.written)
        #expect(counts == RevealPass.Counts(revealed: Self.values.count + 1, unreadable: 0))
    }

    @Test func whatNoRuleNamesStaysByteForByte() async throws {
        let sample = try await EncryptionSample(["text", "LI*"])
        let sealed = try sample.encrypted([span()]).debugText
        #expect(sealed.contains("text=\"weir1.") && sealed.contains("list=\"weir1."))
        #expect(sealed.contains("count=-4711") && sealed.contains("map={k: {n: 1.5}}"))
        let none = try await EncryptionSample(["other"])
        var batch = try SpanFixture.batch([span()])
        let verbatim = try none.encrypted(&batch)
        let isSame = verbatim.array == SpanFixture.request([span()]).array
        #expect(isSame, "a batch without such fields is passed on as it came")
        #expect(none.ring.made == 0)
    }

    @Test func everyPlaceIsEncrypted() async throws {
        let sample = try await EncryptionSample(["a*"], content: true, statusMessage: true)
        let place = RandomPlaces.request("marker-4711")
        var batch = Batch()
        try OTLPDecoder().decode(.copying(place), into: &batch)
        #expect(Payload.copying(place).has("marker-4711"))
        let sealed = try sample.encrypted(&batch)
        #expect(!sealed.has("marker-4711"))
        let (opened, counts) = try await sample.revealed(sealed)
        #expect(try opened.written == Payload.copying(place).written)
        #expect(counts.unreadable == 0 && counts.revealed == 6)
    }

    /// The code that the Status had before OTLP 1.0, and one that no version has.
    @Test(arguments: [[0x08, 2], [0x18, 0xAC, 0x02]] as [[UInt8]])
    func theMessageOfAStatusThatIsNotKnownInFullIsEncrypted(further: [UInt8]) async throws {
        func message(_ tag: UInt8, _ body: [UInt8]) -> [UInt8] { [tag, UInt8(body.count)] + body }
        let status = further + message(0x12, Array("marker-4711".utf8))
        let span = message(0x0A, Array(1...16)) + message(0x12, Array(1...8)) + message(0x7A, status)
        let request = message(0x0A, message(0x12, message(0x12, span)))
        let sample = try await EncryptionSample(["a*"], statusMessage: true)
        var batch = try Batch(decoding: request)
        let sealed = try sample.encrypted(&batch)
        #expect(Payload.copying(request).has("marker-4711") && !sealed.has("marker-4711"))
        #expect(try await sample.revealed(sealed).payload.has("marker-4711"))
    }

    @Test func aMessageThatCannotBeEncryptedMakesNoMessagesOfWhatFollows() async throws {
        let store = try KeyStoreSample(keys: nil)
        let ring = store.ring()
        var policy = EncryptionPolicy()
        policy.content = true
        let lane = Lane(policy, ring)
        var message = SpanFixture()
        message.events = [("gen_ai.choice", [NewPair(key: "message", value: .string("hi"))])]
        var refused = try SpanFixture.batch([message])
        #expect(throws: KeyError.self) { try lane.pass.encrypt(&refused) }
        try store.write(KeyStoreSample.first)
        try await ring.refresh(at: EncryptionSample.now)
        var batch = try SpanFixture.batch([span([("message", .string("hi"))])])
        try lane.pass.encrypt(&batch)
        #expect(try batch.attributesAfterExport(of: .span(0)) == [#"message="hi""#])
    }

    @Test func ciphertextOpensOnlyWhereItWasWritten() async throws {
        let sample = try await EncryptionSample(["*"])
        let sealed = try sample.encrypted([span([("a", .string("x")), ("b", .string("y"))])])
        func unreadable(_ change: (inout Batch) -> Void, tenant: String = "acme") async throws -> Int {
            var batch = Batch()
            try OTLPDecoder().decode(sealed, into: &batch)
            change(&batch)
            batch.markAllDirty()
            return try await sample.revealed(.copying(batch.encoded), tenant: tenant).counts.unreadable
        }
        #expect(try await unreadable { _ in } == 0)
        #expect(try await unreadable({ _ in }, tenant: "other") == 3)
        #expect(try await unreadable { $0.arena.pointee.spans[0].spanID ^= 1 } == 2)
        #expect(try await unreadable { $0.arena.pointee.spans[0].traceIDLow ^= 1 } == 2)
        #expect(try await unreadable { $0.arena.pointee.spans[0].traceIDHigh ^= 1 } == 2)
        // Two keys of one span.
        let swapped = try await unreadable { batch in
            let range = batch.spans[0].attributes.indices
            let (one, two) = (batch.storedValue(at: range.lowerBound), batch.storedValue(at: range.lowerBound + 1))
            batch.set(attributeAt: range.lowerBound, to: two, of: .span(0))
            batch.set(attributeAt: range.lowerBound + 1, to: one, of: .span(0))
        }
        #expect(swapped == 2)
        // From the span to its resource, and back.
        let moved = try await unreadable { batch in
            let own = batch.storedValue(at: batch.spans[0].attributes.indices.lowerBound)
            let other = batch.storedValue(at: batch.resources[0].attributes.indices.lowerBound)
            batch.set(attributeAt: batch.resources[0].attributes.indices.lowerBound, to: own, of: .resource(0))
            batch.set(attributeAt: batch.spans[0].attributes.indices.lowerBound, to: other, of: .span(0))
        }
        #expect(moved == 2)
    }

    @Test func anUnreadableValueIsEmptyAndSaysWhy() async throws {
        let sample = try await EncryptionSample(["a"])
        let sealed = try sample.encrypted([span([("a", .string("x")), ("b", .int(1))])])
        let ids = try EncryptionSample.keyIDs(sealed)
        let id = try #require(ids.first)
        let opened = try await sample.revealed(sealed, tenant: "other").payload.debugText
        #expect(opened.split(separator: "\n") == ["a=empty", "b=1", #"a.unreadable="not authentic""#])
        // A key that nobody made durable and nobody has.
        let other = try await EncryptionSample(["a"])
        #expect(try await other.revealed(sealed).payload.debugText.contains("unknown key"))
        let key = try #require(sample.ring.known(id))
        try await sample.ring.makeDurable([key])
        let ring = sample.ring
        try await ring.store.run { database throws(KeyError) in
            _ = try database.destroy(.id(id), at: EncryptionSample.now)
        }
        try await ring.refresh(at: EncryptionSample.now)
        #expect(try await sample.revealed(sealed).payload.debugText.contains("key destroyed"))
    }

    @Test func nothingIsEncryptedTwiceAndNothingPassesForCiphertext() async throws {
        let sample = try await EncryptionSample(["a"])
        var batch = try SpanFixture.batch([span([("a", .string("x"))])])
        let once = try sample.encrypted(&batch)
        let twice = try sample.encrypted(&batch, times: 3)
        #expect(once.array == twice.array)
        // Of another Weir's key: its ciphertext stays as it is.
        let other = try await EncryptionSample(["a"])
        var foreign = Batch()
        try OTLPDecoder().decode(once, into: &foreign)
        #expect(try other.encrypted(&foreign).array == once.array)
        // What only looks like it is a text as any other, also of a known key and from another place.
        let value = try #require(try once.debugText.split(separator: "\"").dropFirst().first.map(String.init))
        for text in ["weir1.", "weir1.hello", "weir1.AAAA", value + "A", "weir1.\(value)"] {
            let sealed = try sample.encrypted([span([("a", .string(text))])])
            let shown = try sealed.debugText
            #expect(!shown.contains("\"\(text)\""), "\(text)")
            #expect(try await sample.revealed(sealed).payload.debugText == "a=\"\(text)\"")
        }
        var moved = span([("a", .string(value))])
        moved.spanID = 99
        let sealed = try sample.encrypted([moved])
        #expect(try await sample.revealed(sealed).payload.debugText == "a=\"\(value)\"")
    }

    @Test func aPersonHasKeysOfItsOwn() async throws {
        let sample = try await EncryptionSample(["a"], subjects: ["user.id", "enduser.id"])
        func keys(_ attributes: [(String, NewValue)], tenant: String = "acme") throws -> Set<UInt64> {
            try EncryptionSample.keyIDs(
                sample.encrypted([span([("a", .string("x"))] + attributes)], tenant: tenant), tenant)
        }
        let nobody = try keys([])
        let maria = try keys([("user.id", .string("maria"))])
        #expect(try keys([("user.id", .string("maria")), ("enduser.id", .string("bob"))]) == maria)
        #expect(nobody.count == 1 && maria.count == 1)
        let others = try [
            nobody, keys([("user.id", .string("mario"))]), keys([("enduser.id", .string("maria"))]),
            keys([("user.id", .string("maria"))], tenant: "other"), keys([("user.id", .int(5))]),
        ]
        #expect(Set(others + [maria]).count == 6)
        // What names nobody is the tenant's.
        #expect(try keys([("user.id", .string("")), ("enduser.id", .bool(true))]) == nobody)
        #expect(try keys([("user.id", .string("5"))]) == keys([("user.id", .int(5))]))
        let sealed = try sample.encrypted([span([("a", .string("x")), ("user.id", .string("maria"))])])
        #expect(try await sample.revealed(sealed).counts == RevealPass.Counts(revealed: 1, unreadable: 0))
    }

    @Test func equalValuesHaveTheSameIndexAndNothingElseHas() async throws {
        let sample = try await EncryptionSample(["a", "b"], indexed: ["a", "b"])
        func index(_ key: String, _ value: NewValue, tenant: String = "acme") throws -> String? {
            let sealed = try sample.encrypted([span([(key, value)])], tenant: tenant)
            var batch = Batch()
            try OTLPDecoder().decode(sealed, into: &batch)
            let found = batch.value(of: AttributeKey("\(key).index"), in: batch.spans[0].attributes)
            guard case .string(let text) = found else { return nil }
            return String(decoding: text, as: UTF8.self)
        }
        let maria = try #require(try index("a", .string("maria")))
        #expect(maria.count == 32 && maria.allSatisfy(\.isHexDigit))
        #expect(try index("a", .string("maria")) == maria)
        let others = try [
            index("a", .string("Maria")), index("b", .string("maria")), index("a", .string("maria"), tenant: "other"),
            index("a", .string("")), index("a", .int(5)),
        ]
        #expect(Set(others + [maria]).count == 6)
        #expect(try index("a", .string("5")) == index("a", .int(5)))
        #expect(try index("a", .bool(true)) == nil)
        #expect(try index("c", .string("maria")) == nil)
        // It is not what stands for a person in the store, which who reads spans must not know.
        let tag = Array("maria".utf8).withUnsafeBytes { sample.ring.tag(of: "a", $0, tenant: "acme") }
        #expect(tag?.hexadecimal != maria)
    }

    @Test func aDestroyedKeyIsNotUsedAgainThoughTheRingHasForgottenIt() async throws {
        let store = try KeyStoreSample()
        let ring = store.ring(limit: 1)
        #expect(await ring.open(at: EncryptionSample.now) == nil)
        var policy = EncryptionPolicy()
        policy.fields = [KeyPattern("a")]
        let lane = Lane(policy, ring)
        func keys() throws -> Set<UInt64> {
            var batch = try SpanFixture.batch([span([("a", .string("x"))])])
            (batch.tenant, batch.receivedAt) = ("acme", EncryptionSample.now)
            try lane.pass.encrypt(&batch)
            return RevealPass().keyIDs(in: batch)
        }
        let first = try keys()
        let id = try #require(first.first)
        try await ring.makeDurable(lane.pass.takeNewKeys())
        #expect(try keys() == first)
        // So many others that the ring forgets the key, and the pass does not.
        let others = try (0..<10).map { try ring.key(for: "t\($0)", .field, .xaes256gcm, at: EncryptionSample.now) }
        try await ring.makeDurable(others)
        #expect(ring.known(id) == nil)
        #expect(try keys() == first)
        _ = try await store.ring().store.run { database throws(KeyError) in
            try database.destroy(.id(id), at: EncryptionSample.now)
        }
        try await ring.refresh(at: EncryptionSample.now)
        #expect(try keys().isDisjoint(with: first))
    }

    @Test func anotherProcessorMayAskForAValueToBeEncrypted() async throws {
        let sample = try await EncryptionSample([])
        var batch = try SpanFixture.batch([span([("a", .string("x")), ("b", .string("y"))])])
        let index = batch.spans[0].attributes.indices.lowerBound
        batch.arena.pointee.attributes[index].encrypt(nil)
        let text = try sample.encrypted(&batch).debugText
        #expect(text.contains("a=\"weir1.") && text.contains("b=\"y\""))
    }

    @Test func theSameValueIsAnotherCiphertextEachTime() async throws {
        let sample = try await EncryptionSample(["*"])
        let spans = (0..<50).map { index -> SpanFixture in
            var span = span([("a", .string("same"))])
            span.spanID = UInt64(index + 1)
            return span
        }
        let bytes = try sample.encrypted(spans).array
        let envelopes = bytes.ranges(of: Array("weir1.".utf8)).map { bytes[$0.lowerBound...].prefix(60) }
        #expect(envelopes.count == 100 && Set(envelopes).count == 100)
    }
}

/// A request that has a marker in every place that can be encrypted.
private enum RandomPlaces {
    static func request(_ marker: String) -> [UInt8] {
        let pair = NewPair(key: "a.key", value: .string(marker))
        var writer = ReverseWriter(capacity: 1024)
        func list(_ tag: UInt64, _ writer: inout ReverseWriter) {
            var own = ReverseWriter(capacity: 64)
            own.writeList([pair])
            var fields = FieldReader(own.written)
            if let field = fields.next() { writer.field(tag, field.body) }
        }
        func close(_ tag: UInt64, from end: Int, _ writer: inout ReverseWriter) {
            writer.close(tag, writer.count - end)
        }
        let status = writer.count
        writer.number(Tag.statusCode, 2)
        Array(marker.utf8).withUnsafeBytes { writer.field(Tag.statusMessage, $0) }
        close(Tag.status, from: status, &writer)
        let link = writer.count
        list(Tag.linkAttributes, &writer)
        writer.identifier(Tag.linkSpanID, 5)
        writer.identifier(Tag.linkTraceID, high: 1, low: 2)
        close(Tag.links, from: link, &writer)
        let event = writer.count
        list(Tag.eventAttributes, &writer)
        close(Tag.events, from: event, &writer)
        list(Tag.attributes, &writer)
        writer.identifier(Tag.spanID, 7)
        writer.identifier(Tag.traceID, high: 3, low: 4)
        close(Tag.spans, from: 0, &writer)
        let scope = writer.count
        list(Tag.scopeAttributes, &writer)
        close(Tag.scope, from: scope, &writer)
        close(Tag.scopeSpans, from: 0, &writer)
        let resource = writer.count
        list(Tag.resourceAttributes, &writer)
        close(Tag.resource, from: resource, &writer)
        close(Tag.resourceSpans, from: 0, &writer)
        return Array(writer.written)
    }
}
