import Logging
import Testing

@testable import Weir

/// Records and letters that are encrypted as a whole.
@Suite(.hangLimit) struct KeystoreCodecTests {
    private static let secret = "the plan of maria"
    private let store: KeyStoreSample
    private let directory: TemporaryDirectory

    init() throws {
        store = try KeyStoreSample()
        directory = try TemporaryDirectory()
    }

    private func codec(_ rings: Keyring..., isSealing: Bool = true) -> KeystoreCodec {
        KeystoreCodec(rings, isSealing: isSealing, Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
    }

    /// As where a key encryption key is away: nothing of what is encrypted can be had, and nothing is lost.
    private func ringWithoutKeys() async throws -> Keyring {
        try store.write("")
        let ring = store.ring()
        _ = await ring.open(at: .now())
        try store.write(KeyStoreSample.first)
        return ring
    }

    private func record(_ sequence: UInt64 = 1) -> JournalRecord {
        var section = RecordSection()
        Array(Self.secret.utf8).withUnsafeBytes { section.add(.sampledOut, $0) }
        return JournalRecord(
            sequence: sequence, tenant: "acme", receivedAt: Timestamp(nanoseconds: 5), spanCount: 3,
            payload: .copying(Array(Self.secret.utf8)), section: section)
    }

    private func entry() -> JournalEntry {
        let record = record()
        return JournalEntry(
            tenant: record.tenant, receivedAt: record.receivedAt, spanCount: record.spanCount,
            payload: record.payload, section: record.section)
    }

    /// Everything that stands in files, as text.
    private func has(_ text: String) throws -> Bool {
        try directory.files().contains { try directory.contents(of: $0).contains(Array(text.utf8)) }
    }

    private struct Running {
        let journal: Journal
        let events: EventCapture
        let writer: JournalWriter
        let task: Task<Void, Never>

        func stop() async {
            journal.close()
            task.cancel()
            await task.value
            await writer.finish()
        }
    }

    /// As a process has them: a journal that is opened again is opened on the same disk.
    private let disks = JournalDisks()

    private func run(_ codec: KeystoreCodec?) throws -> Running {
        let events = EventCapture()
        let (journal, writer) = try Journal.open(
            on: try disks.open("\(directory.path)/journal"), .small(maxBytes: 16 << 20, segmentBytes: 1 << 20),
            for: [.init("a")], codec: codec, executor: { BlockingExecutor(label: $0) },
            clock: { EncryptionSample.now }, events: { events.add($0) })
        return Running(journal: journal, events: events, writer: writer, task: Task { await writer.run() })
    }

    @Test func aRecordIsSealedAndOpenedAgainAndNothingElseOpensIt() async throws {
        let ring = try await store.open(at: .now())
        let codec = codec(ring)
        let sealed = try await codec.seal(record())
        #expect(sealed.codec == 1 && sealed.section.bytes.isEmpty)
        #expect(!sealed.payload.has(Self.secret))
        #expect(codec.keyID(of: sealed) != 0)
        guard case .record(let opened) = await codec.open(sealed, while: { _ in true }) else {
            Issue.record("found none, wanted the record")
            return
        }
        #expect(opened.payload.has(Self.secret) && opened.section == record().section && opened.codec == 0)
        let changed = JournalRecord(
            sequence: 1, tenant: "other", receivedAt: sealed.receivedAt, spanCount: 3, payload: sealed.payload, codec: 1
        )
        guard case .gone = await codec.open(changed, while: { _ in true }) else {
            Issue.record("found a record of another tenant's, wanted none")
            return
        }
    }

    @Test func whatAnotherKeystoreSealedIsReadOn() async throws {
        let other = try KeyStoreSample()
        let (old, new) = (try await store.open(at: .now()), try await other.open(at: .now()))
        let both = codec(new, old)
        for sealed in [try await codec(old).seal(record()), try await both.seal(record())] {
            guard case .record(let opened) = await both.open(sealed, while: { _ in true }) else {
                Issue.record("found none, wanted the record")
                return
            }
            #expect(opened.payload.has(Self.secret))
        }
        guard case .interrupted = await codec(old).open(try await both.seal(record()), while: { _ in false }) else {
            Issue.record("found a record whose key the other one has")
            return
        }
    }

    @Test func aJournalHoldsNothingInClearAndIsReadAfterARestart() async throws {
        let ring = try await store.open(at: .now())
        var running = try run(codec(ring))
        for _ in 0..<3 { #expect(try await running.journal.append(entry()) == .kept) }
        // From memory.
        let first = await running.journal.reader(0).read(maxSpans: 3)
        #expect(first.count == 1 && first[0].payload.has(Self.secret) && first[0].codec == 0)
        await running.stop()
        #expect(try !has(Self.secret))
        #expect(try has("acme"))

        // From the disk, by a process that does not encrypt any more.
        let again = try await store.open(at: .now())
        running = try run(codec(again, isSealing: false))
        let records = await running.journal.reader(0).read()
        #expect(records.count == 3)
        for record in records {
            #expect(record.payload.has(Self.secret) && record.section == self.record().section)
        }
        await running.stop()
    }

    @Test func withoutAKeystoreRecordsStay() async throws {
        let ring = try await store.open(at: .now())
        var running = try run(codec(ring))
        #expect(try await running.journal.append(entry()) == .kept)
        await running.stop()
        running = try run(nil)
        #expect(await running.journal.reader(0).read().isEmpty)
        #expect(running.events.all.contains { if case .sealed = $0 { true } else { false } })
        #expect(running.journal.unsettled(0).spans == 3)
        await running.stop()
        running = try run(codec(ring))
        #expect(await running.journal.reader(0).read().count == 1)
        await running.stop()
    }

    @Test func aKeyThatNobodyHasIsWaitedForAndThatIsSaid() async throws {
        let ring = try await store.open(at: .now())
        var running = try run(codec(ring))
        #expect(try await running.journal.append(entry()) == .kept)
        let row = try ring.key(for: "acme", .journal, .xaes256gcm, at: .now()).row
        await running.stop()
        let file = try SQLiteFile(store.path, SQLiteMigration.keys, at: .now())
        try file.write(at: .now()) { db in try db.execute(sql: "DELETE FROM data_keys WHERE class <> 3") }
        file.close()
        let other = try await store.open(at: .now())
        running = try run(codec(other))
        let (reader, events) = (running.journal.reader(0), running.events)
        let reading = Task { await reader.read() }
        let key = AwaitedKey(id: row.id, sequence: 1, tenant: "acme", reason: "unknown key")
        try await eventually("it is said") {
            events.all.contains { if case .awaitsKey(key) = $0 { true } else { false } }
        }
        #expect(reader.awaitsKeySince != nil)
        try await other.store.run { database throws(KeyError) in try database.insert([row]) }
        #expect(await reading.value.count == 1)
        #expect(reader.awaitsKeySince == nil)
        #expect(events.all.contains { if case .awaitsNoMore(key) = $0 { true } else { false } })
        await running.stop()
    }

    /// Of the reader, or of the journal.
    @Test(arguments: [false, true]) func nobodyWaitsAtTheEndForAKeyThatIsAway(_ isOfAll: Bool) async throws {
        var running = try run(codec(try await store.open(at: .now())))
        #expect(try await running.journal.append(entry()) == .kept)
        await running.stop()
        running = try run(codec(try await ringWithoutKeys()))
        let reader = running.journal.reader(0)
        let reading = Task { await reader.read() }
        try await eventually("it was handed to whoever reads") { reader.waiting.spans == 0 }
        if isOfAll { running.journal.close() } else { reader.leave() }
        #expect(await reading.value.isEmpty)
        // Who reads it again does not take it for lost.
        await #expect(throws: DiskError.self) { try await reader.readAgain(from: 1) }
        #expect(reader.unsettledSpans == 3 && running.events.gaps == [])
        await running.stop()
        running = try run(codec(try await store.open(at: .now())))
        #expect(await running.journal.reader(0).read().count == 1)
        await running.stop()
    }

    /// As who looks through a recall ring does.
    @Test(arguments: [false, true]) func whoDoesNotWaitReadsPastARecordThatIsSealed(_ hasKeystore: Bool) async throws {
        var running = try run(codec(try await store.open(at: .now())))
        #expect(try await running.journal.append(entry()) == .kept)
        await running.stop()
        running = try run(nil)
        #expect(try await running.journal.append(entry()) == .kept)
        await running.stop()
        running = try run(hasKeystore ? codec(try await ringWithoutKeys()) : nil)
        let again = try await running.journal.reader(0).readAgain(from: 1, waits: false)
        #expect(again.records.map(\.sequence) == [2])
        #expect(again.sealed == 1 && again.next == 3)
        let end = try await running.journal.reader(0).readAgain(from: 3, waits: false)
        #expect(end.records.isEmpty && end.next == 3)
        await running.stop()
    }

    @Test func aRecordWhoseKeyWasDestroyedIsAGapAndTheNextOnesCome() async throws {
        let ring = try await store.open(at: .now())
        var running = try run(codec(ring))
        #expect(try await running.journal.append(entry()) == .kept)
        let key = try ring.key(for: "acme", .journal, .xaes256gcm, at: .now()).id
        await running.stop()
        try await ring.store.run { database throws(KeyError) in _ = try database.destroy(.id(key), at: .now()) }
        let again = try await store.open(at: .now())
        running = try run(codec(again))
        #expect(try await running.journal.append(entry()) == .kept)
        #expect(await running.journal.reader(0).read().map(\.sequence) == [2])
        let gap = JournalGap(reason: .destroyed, sequences: 1...1, spans: 3, exporter: "a")
        #expect(running.events.gaps == [gap])
        await running.stop()
    }

    @Test func whatCannotBeSealedIsRefused() async throws {
        let ring = try KeyStoreSample(keys: nil).ring()
        _ = await ring.open(at: .now())
        let running = try run(codec(ring))
        await #expect(throws: Refusal.self) { try await running.journal.append(entry()) }
        #expect(running.journal.status.records == 0)
        await running.stop()
    }

    @Test func lettersAreSealedToo() async throws {
        let ring = try await store.open(at: .now())
        let limits = LetterDirectory.Limits(deadLetters: 1 << 20, parked: 1 << 20)
        let letters = try LetterDirectory(
            directory.path, exporter: ComponentID(type: "debug"), limits: limits, codec: codec(ring))
        let letter = Letter(
            time: EncryptionSample.now, exporter: "debug", reason: "no reason",
            kept: KeptRecord(journal: JournalID(value: 7), record: record(4)))
        try await letters.bury([letter])
        try await letters.park([letter, letter], of: "acme")
        #expect(try !has(Self.secret))
        let plain = Self.secret.utf8.withContiguousStorageIfAvailable { Array($0) } ?? []
        #expect(!plain.isEmpty)
        let kept = try await letters.parked(of: "acme", maxSpans: 100, maxBytes: 1 << 20)
        #expect(kept.count == 2 && kept[0].record.payload.has(Self.secret) && kept[0].record.sequence == 4)
        #expect(kept[0].record.section == record().section)
        // By one that has no key now, which says so and does not wait.
        let away = try LetterDirectory(
            directory.path, exporter: ComponentID(type: "debug"), limits: limits,
            codec: codec(try await ringWithoutKeys()))
        await #expect(throws: LetterError.self) {
            try await away.parked(of: "acme", maxSpans: 100, maxBytes: 1 << 20)
        }
        // By the next process; and once the key is gone, nothing of it.
        let key = try ring.key(for: "acme", .journal, .xaes256gcm, at: .now()).id
        try await ring.store.run { database throws(KeyError) in _ = try database.destroy(.id(key), at: .now()) }
        let again = try LetterDirectory(
            directory.path, exporter: ComponentID(type: "debug"), limits: limits,
            codec: codec(try await store.open(at: .now())))
        let gone = try await again.parked(of: "acme", maxSpans: 100, maxBytes: 1 << 20)
        #expect(gone.map(\.record.spanCount) == [0, 0])
    }
}
