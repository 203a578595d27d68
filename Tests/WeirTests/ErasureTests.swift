import Testing

@testable import Weir

/// Carrying out an erasure while others are at the register.
@Suite(.hangLimit) struct ErasureTests {
    private static let all = (1...7).map { "\($0)" }
    private let now = TestClock().now
    private let sample: SQLiteSample
    private let store: KeyStoreSample
    private let tag = [UInt8](repeating: 7, count: 16)

    init() throws {
        sample = try SQLiteSample()
        store = try KeyStoreSample()
    }

    /// With a key of the person and spans of several.
    private func begun(
        maxTraces: Int = ErasureRegister.maxTraces
    ) async throws -> (erasure: Erasure, request: ErasureRequest, ring: Keyring) {
        let ring = try await store.open(at: now)
        try await ring.makeDurable([try ring.key(for: "default", .field, .xaes256gcm, subject: tag, at: now)])
        try await sample.export(try ErasureSample.records())
        await sample.exporter.finish()
        let text = """
            receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
            extensions: { keystore: { key_encryption_keys: { file: "\(store.keyFile)" }, path: "\(store.path)" } }
            exporters: { sqlite: { directory: "\(sample.path)" } }
            service:
              journal: { directory: "\(sample.directory.path)/journal" }
              pipelines: { traces: { receivers: [otlp], exporters: [sqlite] } }
            """
        let checked = CheckedConfiguration(text, file: "f", environment: [:], catalogue: Registry.catalogue)
        let configuration = try #require(checked.configuration, "\(checked.diagnostics.entries)")
        var erasure = try Erasure(configuration, maxTraces: maxTraces, clock: { [now] in now })
        let request = try erasure.request(
            tenant: "default", attribute: "user.id", names: [Array(ErasureSample.person.utf8)], tags: [tag],
            by: "tests", reason: "")
        return (erasure, request, ring)
    }

    private func hold(_ person: String, _ directory: String) throws {
        var register = try ErasureRegister(directory)
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "default")
        try register.append(at: now) { _ in
            var entry = ErasureEntry(.hold, id: "h")
            (entry.tenant, entry.attribute) = ("default", "user.id")
            entry.names = [hash.digest(of: Array(person.utf8))]
            return entry
        }
    }

    /// - Returns: what holds it; nil where it was erased.
    private func run(
        _ erasure: inout Erasure, _ request: ErasureRequest, _ report: (Erasure.Step) throws -> Void = { _ in }
    ) async throws -> Erasure.Held? {
        do {
            let left = try await erasure.run(request, report: report)
            #expect(left == [])
            return nil
        } catch let held as Erasure.Held {
            return held
        }
    }

    private func hasKey(_ ring: Keyring) async throws -> Bool {
        let tag = tag
        return try await !ring.store.run { database throws(KeyError) in
            try database.subjects([tag], of: "default")
        }.isEmpty
    }

    @Test func aHoldThatIsThereBeforeItBeginsKeepsKeysAndSpans() async throws {
        let (fresh, request, ring) = try await begun()
        var erasure = fresh
        // The erasure has read the register before.
        try hold(ErasureSample.person, erasure.register.directory)
        let held = try await run(&erasure, request)
        #expect(held?.hold.id == "h")
        #expect(try await hasKey(ring))
        #expect(try sample.spanIDs() == Self.all)
    }

    /// Bob has spans in a trace of the person, and eve has not.
    @Test(arguments: [ErasureSample.person, "bob", "eve"])
    func aHoldThatComesBehindTheKeysKeepsTheSpans(person: String) async throws {
        let (fresh, request, ring) = try await begun()
        var erasure = fresh
        let directory = erasure.register.directory
        let held = try await run(&erasure, request) { step in
            if step.place == "keys" { try hold(person, directory) }
        }
        #expect(try await !hasKey(ring))
        #expect((held?.hold.id == "h") == (person != "eve"))
        #expect(try sample.spanIDs() == (held == nil ? ErasureSample.left.map { "\($0)" } : Self.all))
    }

    /// Also where the person has more traces than the register says.
    @Test(arguments: [ErasureRegister.maxTraces, 0])
    func withoutAHoldItIsComplete(maxTraces: Int) async throws {
        let (fresh, request, ring) = try await begun(maxTraces: maxTraces)
        var erasure = fresh
        let held = try await run(&erasure, request)
        #expect(held?.hold.id == nil)
        #expect(try await !hasKey(ring))
        #expect(try sample.spanIDs() == ErasureSample.left.map { "\($0)" })
        #expect(erasure.register.requests.map(\.completedAt) == [now])
    }
}
