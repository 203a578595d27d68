import Logging
import Testing

@testable import Weir

@Suite struct LetterErasureTests {
    private let directory: TemporaryDirectory
    private let now = Timestamp(nanoseconds: SampleBatch.fourOClock)

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func rewritesLetters() async throws {
        let file = LineFile("letters.jsonl", in: directory.path)
        try file.append(try ErasureSample.records().flatMap { letter($0).line } + Array("no letter\n".utf8))
        let trial = try await run("letters.jsonl", isTrial: true)
        #expect(trial == LetterErasure.Erased(spans: 4, letters: 3, traces: []))
        #expect(try directory.contents(of: "letters.jsonl").count(where: { $0 == 0x0A }) == 5)
        let erased = try await run("letters.jsonl", isTrial: false)
        #expect(erased == trial)
        let text = String(decoding: try directory.contents(of: "letters.jsonl"), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3 && lines.last == "no letter")
        let records = lines.dropLast().compactMap { line -> JournalRecord? in
            guard case .record(let kept)? = Array(line.utf8).withUnsafeBytes({ LetterEntry(parsing: $0) }) else {
                return nil
            }
            return kept.record
        }
        #expect(records.map(\.sequence) == [2, 4])
        #expect(FrozenBatch(records: records).spanNames == ["span 3", "span 4", "span 7"])
        #expect(try await run("letters.jsonl", isTrial: false) == LetterErasure.Erased())
    }

    @Test func leavesOutWhatWasTakenFromAQueue() async throws {
        let letters = try ErasureSample.records().map { letter($0).line }
        let done = LetterEntry.doneLine(before: letters[0].count + letters[1].count)
        try LineFile("replay.jsonl", in: directory.path).append(letters.flatMap(\.self) + done)
        let erased = try await run("replay.jsonl", isTrial: false)
        #expect(erased.letters == 3)
        let queue = try LetterQueue(LineFile("replay.jsonl", in: directory.path))
        #expect(queue.count == 1 && queue.spans == 1)
    }

    @Test func findsTraces() async throws {
        try LineFile("letters.jsonl", in: directory.path).append(
            try ErasureSample.records().flatMap { letter($0).line })
        let letters = LetterErasure(matcher: ErasureSample.matcher(), traces: [], codec: nil)
        let found = try await letters.run("letters.jsonl", in: directory.path, isTrial: true, at: now)
        #expect(found.traces == ErasureSample.traces)
    }

    @Test func whoOnlyLooksMakesNoKey() async throws {
        try LineFile("letters.jsonl", in: directory.path).append(
            try ErasureSample.records().flatMap { letter($0).line })
        let store = try KeyStoreSample()
        let ring = try await store.open(at: .now())
        let codec = KeystoreCodec([ring], isSealing: true, Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
        let letters = LetterErasure(
            matcher: ErasureSample.matcher(), traces: ErasureSample.traces, codec: codec)
        let trial = try await letters.run("letters.jsonl", in: directory.path, isTrial: true, at: now)
        #expect(trial.letters == 3 && ring.made == 0)
        #expect(try await letters.run("letters.jsonl", in: directory.path, isTrial: false, at: now) == trial)
        #expect(ring.made == 1)
        withExtendedLifetime(store) {}
    }

    private func run(_ name: String, isTrial: Bool) async throws -> LetterErasure.Erased {
        let letters = LetterErasure(matcher: ErasureSample.matcher(), traces: ErasureSample.traces, codec: nil)
        return try await letters.run(name, in: directory.path, isTrial: isTrial, at: now)
    }

    private func letter(_ record: JournalRecord) -> Letter {
        Letter(
            time: now, exporter: "e", reason: "odd", kept: KeptRecord(journal: JournalID(value: 7), record: record))
    }
}
