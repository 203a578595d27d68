import Foundation
import Testing

@testable import Weir

@Suite(.hangLimit) struct ReplayTests {
    private let temporary: TemporaryDirectory
    private let file: DeadLetterFile
    private let id = ComponentID(type: "test", name: "a")

    init() throws {
        temporary = try TemporaryDirectory()
        file = try DeadLetterFile(temporary.path, exporter: ComponentID(type: "test", name: "a"))
    }

    @Test func sendsEveryLetterUnderItsOldName() async throws {
        try write([letter(5, 1...2), letter(9, 3...3), letter(5, 4...4, journal: 8)])
        let destination = TestDestination()
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans) == (4, 0))
        #expect(outcome.isComplete)
        #expect(destination.takenSpans == ["span 1", "span 2", "span 3", "span 4"])
        #expect(destination.batches.map(\.journal.value) == [7, 7, 8])
        #expect(destination.taken == [[5], [9], [5]])
        #expect(destination.batches.allSatisfy { $0.recoveredThrough == .max })
        #expect(destination.finishes == 1)
        #expect(files() == [])
    }

    @Test func hasNothingToDoWithoutLetters() async throws {
        let outcome = try await replay(to: TestDestination())
        #expect((outcome.sentSpans, outcome.remainingSpans) == (0, 0))
        #expect(outcome.isComplete)
    }

    @Test func keepsWhatIsRefusedAgain() async throws {
        try write([letter(1, 1...4), letter(2, 5...8)])
        let destination = TestDestination { $0.spanNames.contains("span 6") ? .rejected("still odd") : nil }
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans) == (7, 1))
        #expect(!outcome.isComplete)
        #expect(files() == ["letters.jsonl"])
        #expect(try lines("letters.jsonl").count == 1)
        #expect(try lines("letters.jsonl")[0].contains("still odd"))
        let again = try await replay(to: TestDestination())
        #expect((again.sentSpans, again.remainingSpans) == (1, 0))
        #expect(files() == [])
    }

    @Test func keepsTheLettersOfATenantThatIsBlocked() async throws {
        try write([letter(1, 1...2), letter(2, 3...3, tenant: "bank"), letter(3, 4...4)])
        let destination = TestDestination { batch in
            batch.records.contains { $0.tenant == "bank" } ? .tenantBlocked("bank", "401") : nil
        }
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans) == (3, 1))
        #expect(try lines("letters.jsonl")[0].contains("bank"))
    }

    @Test func leavesTheRestToTheNextRunWhenTheDestinationIsDown() async throws {
        try write((1...6).map { letter($0, $0...$0) })
        let destination = TestDestination { batch in
            batch.records[0].sequence > 2 ? .retryable("down", after: nil) : nil
        }
        let outcome = try await replay(to: destination, patience: .milliseconds(20))
        #expect((outcome.sentSpans, outcome.remainingSpans) == (2, 4))
        #expect(files() == ["replay.jsonl"])
        // A running Weir goes on to write letters.
        try write([letter(7, 7...7)])
        let next = TestDestination()
        let again = try await replay(to: next)
        #expect((again.sentSpans, again.remainingSpans) == (5, 0))
        #expect(next.takenSpans == (3...7).map { "span \($0)" })
        #expect(files() == [])
    }

    @Test func goesOnWhereAReplayThatWasKilledHadCome() async throws {
        try write((1...4).map { letter($0, $0...$0) })
        var queue = try file.moveAway()
        _ = try queue.peek(maxSpans: 2, maxBytes: 1 << 20) { _ in }
        try queue.forget(2)
        let path = temporary.path + "/dead_letters/test~a/replay.jsonl"
        try Data(try temporary.contents(of: "dead_letters/test~a/replay.jsonl") + Array("{\"done\":9".utf8))
            .write(to: URL(fileURLWithPath: path))
        let destination = TestDestination()
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans) == (2, 0))
        #expect(destination.takenSpans == ["span 3", "span 4"])
    }

    @Test func isNotDoneTwiceAtATime() async throws {
        try write([letter(1, 1...1)])
        let lock = try file.lockReplay()
        await #expect(throws: Replay.Busy.self) { try await replay(to: TestDestination()) }
        withExtendedLifetime(lock) {}
        #expect(files() == ["letters.jsonl"])
    }

    @Test func forgetsNothingThatTheDestinationHasNotSettled() async throws {
        try write([letter(1, 1...1)])
        let outcome = try await replay(to: LateDestination(settlesAtTheEnd: false))
        #expect((outcome.sentSpans, outcome.remainingSpans) == (0, 1))
        #expect(files() == ["replay.jsonl"])
    }

    @Test func keepsLinesThatAreNoLetters() async throws {
        try write([letter(1, 1...1)])
        try file.append(Array("what a person wrote\n".utf8))
        try write([letter(2, 2...2)])
        let destination = TestDestination()
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans, outcome.unreadableLines) == (2, 0, 1))
        #expect(!outcome.isComplete)
        #expect(try lines("letters.jsonl") == ["what a person wrote"])
    }

    @Test func keepsALetterThatHoldsNoSpans() async throws {
        let broken = JournalRecord(
            sequence: 2, tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: 3, payload: .zeros(9))
        let kept = KeptRecord(journal: JournalID(value: 7), record: broken)
        let made = Letter(time: Timestamp(nanoseconds: 1), exporter: "test/a", reason: "bad", kept: kept)
        try write([letter(1, 1...1), made, letter(3, 3...3)])
        let destination = TestDestination()
        let outcome = try await replay(to: destination)
        #expect((outcome.sentSpans, outcome.remainingSpans) == (2, 3))
        #expect(destination.takenSpans == ["span 1", "span 3"])
        #expect(try lines("letters.jsonl").count == 1)
        #expect(try lines("letters.jsonl")[0].contains("found bytes that do not hold its spans"))
    }

    // MARK: Letters

    private func replay(
        to destination: some Exporter, patience: Duration = .seconds(300)
    ) async throws -> Replay.Outcome {
        let configuration = DeliveryConfiguration(batch: "max_spans: 2, flush_timeout: 1ms")
        let context = Context(id: id, logger: LogCapture().logger, metrics: MetricRegistry())
        var replay = Replay(
            to: destination, configuration, from: file, context, patience: patience,
            now: { Timestamp(nanoseconds: 1) })
        return try await replay.run()
    }

    private func write(_ letters: [Letter]) throws {
        try file.append(letters.flatMap(\.line))
    }

    private func letter(
        _ sequence: UInt64, _ ids: ClosedRange<UInt64>, tenant: String = "shop", journal: UInt64 = 7
    ) -> Letter {
        Letter(
            time: Timestamp(nanoseconds: 0), exporter: "\(id)", reason: "odd",
            kept: KeptRecord(
                journal: JournalID(value: journal),
                record: SampleBatch.record(ids.map { ($0, 5) }, tenant: tenant, sequence: sequence)))
    }

    private func files() -> [String] {
        temporary.files().filter { $0.hasSuffix(".jsonl") }.map { String($0.split(separator: "/").last ?? "") }
    }

    private func lines(_ file: String) throws -> [String] {
        String(decoding: try temporary.contents(of: "dead_letters/test~a/\(file)"), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}
