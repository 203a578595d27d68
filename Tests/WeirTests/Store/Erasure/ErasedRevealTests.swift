import Testing

@testable import Weir

/// What is shown of somebody who was erased, where a copy of the tables was put back and nobody has erased again yet.
@Suite struct ErasedRevealTests {
    private let family = SubjectFamily(of: "user.id")
    private let trace = TraceID(high: 1, low: 1)
    private let directory: TemporaryDirectory
    private let sample: EncryptionSample

    init() async throws {
        directory = try TemporaryDirectory()
        // Nobody has keys of his own, so that none is destroyed.
        sample = try await EncryptionSample(["secret", "session.id"])
    }

    /// Of maria, who was erased, of bob, and of nobody; those but the last in her trace.
    private func payload() throws -> Payload {
        let spans = (UInt64(1)...5).map { id in
            var span = QuerySample.span(
                id, start: Int64(id), [("secret", .string("secret \(id)")), ("session.id", .string("session \(id)"))])
            span.traceID = (1, id == 5 ? 2 : 1)
            switch id {
            case 2: span.attributes.append(NewPair(key: "user.id", value: .string("bob")))
            case 3: span.attributes.append(NewPair(key: "user.id", value: .string("maria")))
            case 4: span.events = [("e", [NewPair(key: "user.id", value: .string("bob"))])]
            default: break
            }
            return span
        }
        return try sample.encrypted(spans, tenant: "default")
    }

    private func erase() throws {
        var register = try ErasureRegister(directory.path)
        try register.append(at: EncryptionSample.now) { register in
            var entry = ErasureEntry(.request, id: "r")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [register.hash(of: family, tenant: "default").digest(of: Array("maria".utf8))]
            return entry
        }
        try register.add([trace], of: family, tenant: "default")
    }

    private func hold() throws {
        var register = try ErasureRegister(directory.path)
        try register.append(at: EncryptionSample.now) { _ in
            var entry = ErasureEntry(.hold, id: "h")
            entry.tenant = "default"
            return entry
        }
    }

    /// As a command knows them, and as a Weir that runs does.
    private func erased() async throws -> [ErasedKeys] {
        let tombstones = Tombstones(directory.path)
        try await tombstones.refresh()
        await tombstones.close()
        return [
            try ErasedKeys(of: "default", ErasureRegister(reading: directory.path)), tombstones.snapshot.keys,
        ]
    }

    private func reveal(_ erased: ErasedKeys) -> AuditedReveal {
        AuditedReveal(
            ring: sample.ring, fields: [KeyPattern("*")], tenant: "default", actor: "tests", reason: "case 4711",
            erased: erased)
    }

    @Test(arguments: HotDatabase.allCases)
    func spansOfWhoWasErasedOpenForNobody(database: HotDatabase) async throws {
        let tables = try QuerySample(database)
        try await tables.add(
            JournalRecord(
                sequence: 1, tenant: "default", receivedAt: Timestamp(nanoseconds: QuerySample.start), spanCount: 5,
                payload: try payload()))
        let rows = try await tables.reader.page(TraceQuery(QuerySample.tenant, id: trace)).rows
        let found = try await tables.reader.page(SpanSearch(QuerySample.tenant, in: .always)).rows
        func shown(_ erased: ErasedKeys) async throws -> (whole: [UInt64], columns: [UInt64]) {
            let opened = try await reveal(erased).open(rows, of: "a trace")
            for row in opened.rows where !row.attributes.contains(#""secret \#(row.span.spanID)""#) {
                #expect(row.attributes.contains(#""secret.unreadable":"key destroyed""#))
                #expect(row.span.sessionID == nil && row.span.unreadable == ["session_id": .destroyed])
            }
            let columns = try await reveal(erased).open(found, of: "a search").rows
            return (
                opened.rows.filter { $0.attributes.contains(#""secret \#($0.span.spanID)""#) }.map(\.span.spanID),
                columns.filter { $0.sessionID == "session \($0.spanID)" }.map(\.spanID).sorted()
            )
        }
        #expect(try await shown(ErasedKeys()) == ([1, 2, 3, 4], [1, 2, 3, 4, 5]))
        try erase()
        for erased in try await erased() {
            // Who is named by an event alone is not seen where there are only columns.
            #expect(try await shown(erased) == ([2, 4], [2, 5]))
        }
        try hold()
        for erased in try await erased() { #expect(try await shown(erased) == ([1, 2, 3, 4], [1, 2, 3, 4, 5])) }
    }

    @Test func norDoRequestsThatAreDecrypted() async throws {
        let payload = try payload()
        let keys = await sample.ring.find(try EncryptionSample.keyIDs(payload))
        func opened(_ erased: ErasedKeys) throws -> String {
            var batch = Batch()
            try OTLPDecoder().decode(payload, into: &batch)
            batch.tenant = "default"
            _ = RevealPass().reveal(&batch, with: keys, without: erased.matchers(of: "default"))
            var encoder = OTLPJSONEncoder()
            let text = String(decoding: encoder.bytes(of: batch), as: UTF8.self)
            return (1...5).filter { text.contains("secret \($0)") }.map { "\($0)" }.joined()
        }
        #expect(try opened(ErasedKeys()) == "12345")
        try erase()
        for erased in try await erased() { #expect(try opened(erased) == "245") }
    }

    @Test func whoCannotReadTheKeyOfTheRegisterIsShownNothing() throws {
        _ = try ErasedKeys(of: "default", ErasureRegister(reading: directory.path))
        try erase()
        _ = try ErasedKeys(of: "other", ErasureRegister(reading: directory.path))
        try Directory.removeFile("\(directory.path)/key")
        #expect(throws: FileError.self) { try ErasedKeys(of: "default", ErasureRegister(reading: directory.path)) }
    }

    @Test func aColumnOfAnyTypeComesBackAsItWas() async throws {
        let values: [(NewValue, String)] = [
            (.string("s\"1"), "s\"1"), (.int(-42), "-42"), (.double(0.5), "0.5"), (.bool(true), "true"),
            (.bool(false), "false"), (.array([.string("a"), .int(1)]), #"["a",1]"#),
        ]
        let spans = values.enumerated().map { index, value in
            QuerySample.span(UInt64(index + 1), [("session.id", value.0)])
        }
        let tables = try QuerySample(.sqlite)
        try await tables.add(
            JournalRecord(
                sequence: 1, tenant: "default", receivedAt: Timestamp(nanoseconds: QuerySample.start),
                spanCount: spans.count, payload: try sample.encrypted(spans, tenant: "default")))
        let found = try await tables.reader.page(SpanSearch(QuerySample.tenant, in: .always)).rows
        let opened = try await reveal(ErasedKeys()).open(found, of: "a search").rows
        let texts = Dictionary(uniqueKeysWithValues: opened.map { ($0.spanID, $0.sessionID) })
        for (index, value) in values.enumerated() { #expect(texts[UInt64(index + 1)] == value.1) }
    }
}
