import Testing

@testable import Weir

/// The journal with its tasks: many who append, several who read, one who writes.
@Suite(.hangLimit) struct JournalTests {
    /// What a reader takes until nothing is left, and commits.
    private func drain(_ reader: JournalReader, upTo count: Int, maxSpans: Int = 100) async throws -> [Int] {
        var numbers: [Int] = []
        while numbers.count < count {
            // Nobody sleeps in a task that is cancelled, as one is that takes too long.
            try Task.checkCancellation()
            let records = await reader.read(maxSpans: maxSpans)
            guard let first = records.first, let last = records.last else {
                await reader.wait(for: .milliseconds(5))
                continue
            }
            numbers += records.compactMap(\.number)
            reader.commit(first.sequence...last.sequence)
        }
        return numbers
    }

    @Test(arguments: [0, 10_000, 64 << 20], [Durability.fsync, .interval, .none])
    func manyAppendAndEverybodyGetsEverything(cachedBytes: Int, durability: Durability) async throws {
        var limits = JournalLimits.small(maxBytes: 4 << 20, segmentBytes: 16_384)
        limits.cachedBytes = cachedBytes
        limits.durability = durability
        limits.syncInterval = .milliseconds(2)
        let sample = try JournalSample(limits, for: [.init("a"), .init("b"), .init("c")])
        let journal = sample.journal
        let count = 600
        async let all = withThrowingTaskGroup(of: [Int].self) { group in
            for (index, spans) in [1_000, 7, 1].enumerated() {
                group.addTask { try await drain(journal.reader(index), upTo: count, maxSpans: spans) }
            }
            return try await group.reduce(into: [[Int]]()) { $0.append($1) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask {
                    for step in 0..<count / 20 {
                        let number = task * count / 20 + step
                        let entry = JournalEntry.numbered(number, bytes: [10, 500, 5_000][number % 3])
                        let answer = try await journal.append(entry)
                        #expect(answer == .kept)
                    }
                }
            }
            try await group.waitForAll()
        }
        let numbers = try await all
        #expect(numbers.allSatisfy { $0.count == count && Set($0) == Set(0..<count) })
        #expect(numbers.allSatisfy { $0 == numbers[0] }, "all in one order")
        for reader in 0..<3 { #expect(journal.reader(reader).unsettledSpans == 0) }
        try await eventually("segments that everybody has passed are let go of") {
            sample.disk.contents.keys.count { $0.hasSuffix(".seg") } <= 2
        }
        #expect(journal.status.usedBytes == 0)
        #expect(sample.events.gaps == [])
        await sample.stop()
    }

    private func entry(_ number: Int, key: UInt64) -> JournalEntry {
        var entry = JournalEntry.numbered(number)
        entry.key = RequestKey(high: 1, low: key)
        entry.rejected.add(.depth, spans: number)
        return entry
    }

    private var deduping: JournalLimits {
        var limits = JournalLimits.small()
        limits.dedupeWindow = .seconds(600)
        return limits
    }

    @Test func aRequestThatComesAgainGetsItsAnswerAgain() async throws {
        let sample = try JournalSample(deduping)
        #expect(try await sample.journal.append(entry(1, key: 5)) == .kept)
        var first = Rejections()
        first.add(.depth, spans: 1)
        #expect(try await sample.journal.append(entry(2, key: 5)) == .repeated(first))
        #expect(sample.journal.recall(RequestKey(high: 1, low: 5)) == first)
        #expect(sample.journal.recall(RequestKey(high: 1, low: 6)) == nil)
        #expect(sample.journal.recall(.none) == nil)
        #expect(try await sample.journal.append(.numbered(3)) == .kept)
        #expect(try await sample.journal.append(.numbered(3)) == .kept, "without a key nothing is the same")
        #expect(sample.journal.status.duplicates == 2)
        #expect(await sample.journal.reader(0).read().map(\.number) == [1, 3, 3])
    }

    @Test func aClockThatIsSetForwardForgetsNoRequest() async throws {
        let sample = try JournalSample(deduping)
        #expect(try await sample.journal.append(entry(1, key: 5)) == .kept)
        var resend = JournalEntry.numbered(3_600_000_000_000)
        resend.key = RequestKey(high: 1, low: 5)
        var first = Rejections()
        first.add(.depth, spans: 1)
        #expect(try await sample.journal.append(resend) == .repeated(first))
    }

    @Test func resendsThatOverlapWithTheFirstGetItsAnswer() async throws {
        let sample = try JournalSample(deduping)
        let journal = sample.journal
        let answers = try await withThrowingTaskGroup(of: Journal.Appended.self) { group in
            for _ in 0..<200 { group.addTask { try await journal.append(entry(1, key: 7)) } }
            return try await group.reduce(into: [Journal.Appended]()) { $0.append($1) }
        }
        var first = Rejections()
        first.add(.depth, spans: 1)
        #expect(answers.count { $0 == .kept } == 1)
        #expect(answers.count { $0 == .repeated(first) } == 199)
        #expect(await journal.reader(0).read().count == 1)
    }

    @Test func whatFailsIsRefusedToItsResendsAsWellAndMayComeAgain() async throws {
        let sample = try JournalSample(deduping)
        sample.disk.fail(at: sample.disk.count() + 1, isLasting: true)
        let journal = sample.journal
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let answer = try? await journal.append(entry(1, key: 7))
                    #expect(answer == nil)
                }
            }
        }
        sample.disk.repair()
        try await eventually("it writes again") { journal.status.failure == nil }
        #expect(try await journal.append(entry(1, key: 7)) == .kept)
        #expect(await journal.reader(0).read().count == 1)
    }

    @Test func aDiskThatFailsIsTriedUntilItWorks() async throws {
        let sample = try JournalSample()
        let journal = sample.journal
        #expect(try await journal.append(.numbered(1)) == .kept)
        sample.disk.fail(at: sample.disk.count() + 1, isLasting: true)
        await #expect(throws: Refusal.self) { try await journal.append(.numbered(2)) }
        guard case .overloaded(let reason, retryAfter: .seconds(5)) = journal.refusal(of: .numbered(3)) else {
            Issue.record("it would be taken")
            return
        }
        #expect(reason.hasPrefix("the journal cannot write: ") && reason.hasSuffix(": told to fail"))
        await #expect(throws: Refusal.self) { try await journal.append(.numbered(3)) }
        #expect(await journal.reader(0).read().map(\.number) == [1], "what is there is delivered")
        sample.disk.repair()
        try await eventually("it writes again") { journal.status.failure == nil }
        #expect(try await journal.append(.numbered(4)) == .kept)
        #expect(await journal.reader(0).read().map(\.number) == [4])
        let said = "\(sample.events.all)"
        #expect(said.contains("failed(") && said.contains("recovered"))
    }

    @Test func aJournalThatIsClosedTakesNoMore() async throws {
        let sample = try JournalSample()
        #expect(try await sample.journal.append(.numbered(1)) == .kept)
        sample.journal.close()
        await #expect(throws: Refusal.stopping) { try await sample.journal.append(.numbered(2)) }
        let reader = sample.journal.reader(0)
        #expect(reader.waiting.isClosed)
        #expect(await reader.read().map(\.number) == [1])
        #expect(await reader.read().isEmpty)
    }

    @Test func whatWaitsWhenItEndsIsAnswered() async throws {
        let sample = try JournalSample()
        let journal = sample.journal
        let answers = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<100 { group.addTask { (try? await journal.append(.numbered(number))) == .kept } }
            group.addTask {
                await sample.stop()
                return false
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        let reopened = try JournalCore(on: sample.disk)
        #expect(try reopened.drain().count == answers.count { $0 })
    }

    @Test func anEntryThatNeverFitsIsTooLarge() async throws {
        let sample = try JournalSample(.small(maxBytes: 64 << 10))
        #expect(try await sample.journal.append(.numbered(1, bytes: 32_000)) == .kept)
        await #expect(
            throws: Refusal.tooLarge("the request takes 32784 bytes in the journal, which takes 32768 at most")
        ) {
            try await sample.journal.append(.numbered(2, bytes: 32_700))
        }
    }

    @Test func aTenantWithTooMuchIsRefusedAlone() async throws {
        var limits = JournalLimits.small(maxBytes: 64 << 10)
        limits.tenantBytes = 20_000
        let sample = try JournalSample(limits)
        for number in 0..<12 {
            let tenant = number < 8 ? "loud" : "quiet"
            _ = try await sample.journal.append(.numbered(number, bytes: 3_000, tenant: tenant))
        }
        await #expect(
            throws: Refusal.overQuota(
                "the tenant holds more than tenant_max_bytes, 20000, of a journal that is filling",
                retryAfter: .seconds(30))
        ) {
            try await sample.journal.append(.numbered(15, tenant: "loud"))
        }
        #expect(try await sample.journal.append(.numbered(16, tenant: "quiet")) == .kept)
    }

    @Test func whatWasAnsweredIsKnownAfterARestart() async throws {
        var limits = deduping
        limits.segmentBytes = 1_024
        let disk = SimulatedDisk(seed: 1)
        let clock = TestClock(1_000)
        let sample = try JournalSample(limits, on: disk, clock: clock)
        for number in 1...20 { #expect(try await sample.journal.append(entry(number, key: UInt64(number))) == .kept) }
        #expect(try await drain(sample.journal.reader(0), upTo: 20).count == 20)
        try await eventually("the segments are let go of") {
            !disk.contents.keys.contains("00000000000000000001.seg")
        }
        await sample.stop()
        #expect(disk.contents.keys.contains("00000000000000000001.idx"))
        let reopened = try JournalSample(limits, on: disk, clock: clock)
        for number in 1...20 {
            var first = Rejections()
            first.add(.depth, spans: number)
            #expect(try await reopened.journal.append(entry(90, key: UInt64(number))) == .repeated(first))
        }
        #expect(await reopened.journal.reader(0).read().isEmpty)
        await reopened.stop()
        clock.advance(seconds: 601)
        let later = try JournalSample(limits, on: disk, clock: clock)
        #expect(try await later.journal.append(entry(91, key: 20)) == .kept)
        await later.stop()
    }

    @Test func cursorsAreWrittenDown() async throws {
        let disk = SimulatedDisk(seed: 1)
        let sample = try JournalSample(on: disk)
        for number in 1...10 { #expect(try await sample.journal.append(.numbered(number)) == .kept) }
        #expect(await sample.journal.reader(0).read().count == 10)
        sample.journal.reader(0).commit(1...4)
        sample.journal.reader(0).commit(6...7)
        try await eventually("the cursor is on the disk") {
            try CursorFile("a.cursor", sample.journal.id, disk, exists: true, isReadOnly: true).cursor
                == Cursor(next: 5, done: [6...7])
        }
        let reopened = try JournalSample(on: disk)
        #expect(reopened.journal.recoveredThrough == 10)
        #expect(reopened.journal.id == sample.journal.id)
        #expect(reopened.journal.reader(0).unsettledSpans == 4)
        #expect(try await drain(reopened.journal.reader(0), upTo: 4) == [5, 8, 9, 10])
    }
}
