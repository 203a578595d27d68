import Glibc
import Synchronization
import Testing

@testable import Weir

/// Exporters come and go while a journal is written and read.
@Suite(.hangLimit) struct JournalExchangeTests {
    private func numbers(_ reader: JournalReader) async -> [Int] {
        var numbers: [Int] = []
        while true {
            let records = await reader.read()
            guard let first = records.first, let last = records.last else { return numbers }
            numbers += records.compactMap(\.number)
            reader.commit(first.sequence...last.sequence)
        }
    }

    private func append(_ numbers: ClosedRange<Int>, to sample: JournalSample) async throws {
        for number in numbers { #expect(try await sample.journal.append(.numbered(number)) == .kept) }
    }

    @Test func oneComesAndAnotherGoesAndTheThirdDoesNotNotice() async throws {
        let sample = try JournalSample(for: [.init("a"), .init("b")])
        let a = sample.journal.reader(0)
        try await append(1...4, to: sample)
        let held = await a.read()
        sample.journal.reader(1).leave()
        let c = try await sample.exchange(for: [.init("c")], beside: ["a"], parked: ["b": 5])
        #expect(sample.journal.names == ["a", "c"])
        // What it was handed before is committed now, and does not come again.
        a.commit(1...4)
        #expect(held.compactMap(\.number) == [1, 2, 3, 4] && !a.waiting.isClosed)
        try await append(5...6, to: sample)
        #expect(await numbers(a) == [5, 6])
        #expect(await numbers(c[0]) == [5, 6], "a new one gets what comes from now on")
        #expect(a.recoveredThrough == 0 && c[0].recoveredThrough == 4)
        guard
            case .leftBehind("b", spans: 4 + 5) = sample.events.all.last(where: {
                if case .leftBehind = $0 { true } else { false }
            })
        else {
            Issue.record("nobody said that b had not got everything")
            return
        }
    }

    @Test func oneOfTheSameNameGoesOnWhereTheOtherOneEnded() async throws {
        let sample = try JournalSample(for: [.init("a")])
        let old = sample.journal.reader(0)
        try await append(1...6, to: sample)
        #expect(await old.read().count == 6)
        old.commit(1...2)
        old.commit(4...4)
        old.leave()
        #expect(old.waiting.isClosed && old.waiting.isHandedOver)
        let new = try await sample.exchange(for: [.init("a", .skip)])[0]
        #expect(!new.waiting.isClosed && new.unsettledSpans == 3)
        #expect(new.recoveredThrough == 6, "of these nobody knows how far an earlier attempt got")
        try await append(7...7, to: sample)
        #expect(await numbers(new) == [3, 5, 6, 7])
        #expect(new.unsettledSpans == 0)
    }

    @Test func whatOnlyOneThatHasGoneHadNotGotIsLetGoOf() async throws {
        let sample = try JournalSample(for: [.init("a"), .init("b")])
        let a = sample.journal.reader(0)
        for number in 1...50 {
            #expect(try await sample.journal.append(.numbered(number, bytes: 1_000)) == .kept)
        }
        #expect(await numbers(a).count == 50)
        #expect(sample.journal.status.usedBytes > 0)
        sample.journal.reader(1).leave()
        _ = try await sample.exchange(for: [], beside: ["a"])
        #expect(sample.journal.status.usedBytes == 0)
        try await eventually("its segments are let go of") {
            sample.disk.contents.keys.count { $0.hasSuffix(".seg") } <= 2
        }
    }

    @Test func oneThatComesBackGoesOnWhereItWasAsFarAsItIsThere() async throws {
        let sample = try JournalSample(for: [.init("a"), .init("b")])
        try await append(1...3, to: sample)
        let old = sample.journal.reader(1)
        #expect(await old.read(maxSpans: 1).count == 1)
        old.commit(1...1)
        old.leave()
        _ = try await sample.exchange(for: [], beside: ["a"])
        try await append(4...5, to: sample)
        let new = try await sample.exchange(for: [.init("b")], beside: ["a"])[0]
        #expect(new.unsettledSpans == 4)
        #expect(await numbers(new) == [2, 3, 4, 5])
        #expect(sample.events.gaps == [])
        // And over a restart.
        #expect(await numbers(sample.journal.reader(0)) == [1, 2, 3, 4, 5])
        await sample.stop()
        let reopened = try JournalSample(for: [.init("b")], on: sample.disk)
        #expect(reopened.journal.reader(0).unsettledSpans == 0)
    }

    @Test func aNewOneIsKnownAfterAPowerCut() async throws {
        let sample = try JournalSample(for: [.init("a")])
        try await append(1...2, to: sample)
        _ = try await sample.exchange(for: [.init("b")], beside: ["a"])
        try await append(3...4, to: sample)
        let reopened = try JournalSample(for: [.init("a"), .init("b")], on: sample.disk.afterCrash(seed: 1))
        #expect(await numbers(reopened.journal.reader(1)) == [3, 4])
        await sample.stop()
    }

    @Test func aDiskThatFailsChangesNothing() async throws {
        let sample = try JournalSample(for: [.init("a"), .init("b")])
        try await append(1...2, to: sample)
        let (a, b) = (sample.journal.reader(0), sample.journal.reader(1))
        b.leave()
        sample.disk.fail(.create, at: sample.disk.count(of: .create) + 1, isLasting: true)
        await #expect(throws: DiskError.self) { try await sample.exchange(for: [.init("c")], beside: ["a"]) }
        #expect(sample.journal.names == ["a", "b"])
        // Going back needs no disk.
        let again = try await sample.exchange(for: [.init("b")], beside: ["a"])[0]
        sample.disk.repair()
        #expect(await numbers(again) == [1, 2])
        #expect(await numbers(a) == [1, 2])
    }

    /// Whoever stays gets every record once and in order, whoever else comes and goes meanwhile.
    @Test func aHundredExchangesUnderLoad() async throws {
        let sample = try JournalSample(.small(maxBytes: 16 << 20), for: [.init("a"), .init("b")])
        let (a, first) = (sample.journal.reader(0), sample.journal.reader(1))
        let count = 1_000
        async let appended: Void = {
            try await append(1...count, to: sample)
        }()
        async let stayed = { () async throws -> [Int] in
            var found: [Int] = []
            while found.count < count {
                try Task.checkCancellation()
                found += await numbers(a)
                await a.wait(for: .milliseconds(1))
            }
            return found
        }()
        var b = first
        var found: [Int] = []
        for round in 0..<100 {
            // Of what was handed out, every third time nothing is done: it comes again.
            let records = await b.read(maxSpans: 10)
            if let first = records.first, let last = records.last, round % 3 > 0 {
                b.commit(first.sequence...last.sequence)
                found += records.compactMap(\.number)
            }
            b.leave()
            let others: [Journal.Destination] = round % 2 == 0 ? [.init("c")] : []
            b = try await sample.exchange(for: [.init("b")] + others, beside: ["a"])[0]
        }
        try await appended
        found += await numbers(b)
        #expect(found == Array(1...count))
        let all = try await stayed
        #expect(all == Array(1...count))
    }

    /// Requests that gather while others are written, so that whoever writes never has nothing to do.
    private final class Crowd: Sendable {
        private let entered = Atomic(0)
        private let seen = Atomic(0)
        private let isOver = Atomic(false)

        func leave() { isOver.store(true, ordering: .relaxed) }

        func run(_ journal: Journal) async throws {
            while !isOver.load(ordering: .relaxed) {
                entered.add(1, ordering: .relaxed)
                _ = try await journal.append(.numbered(1))
            }
        }

        /// Asked for in the middle of writing: returns when another request has come, if one comes.
        func time() -> Timestamp {
            let before = seen.load(ordering: .relaxed)
            for _ in 0..<10_000 where entered.load(ordering: .relaxed) == before { sched_yield() }
            seen.store(entered.load(ordering: .relaxed), ordering: .relaxed)
            return Timestamp(nanoseconds: SampleBatch.fourOClock)
        }
    }

    @Test func requestsThatNeverEndKeepNobodyOut() async throws {
        let crowd = Crowd()
        let (journal, writer) = try Journal.open(
            on: SimulatedDisk(seed: 1), .small(maxBytes: 64 << 20), for: [.init("a", .skip)],
            executor: { BlockingExecutor(label: $0) }, clock: crowd.time, events: { _ in })
        let writing = Task { await writer.run() }
        try await withThrowingTaskGroup { group in
            for _ in 0..<16 { group.addTask { try await crowd.run(journal) } }
            try await eventually("they have begun") { journal.head > 100 }
            for _ in 0..<3 { _ = try await writer.exchange(for: [.init("b")], beside: ["a"]) }
            crowd.leave()
            try await group.waitForAll()
        }
        journal.close()
        writing.cancel()
        await writing.value
        await writer.finish()
        #expect(await !writer.scrub(), "another one may write there by now")
    }

    @Test func whatWasAnsweredAndNotYetSyncedIsSeenBeforeTheEnd() async throws {
        var limits = JournalLimits.small()
        limits.durability = .interval
        limits.syncInterval = .seconds(3_600)
        let sample = try JournalSample(limits, for: [.init("a")])
        try await append(1...3, to: sample)
        let reader = sample.journal.reader(0)
        #expect(reader.waiting.spans == 0)
        await sample.publish()
        sample.journal.close()
        #expect(reader.waiting.spans == 3 && reader.waiting.isClosed)
        #expect(await numbers(reader) == [1, 2, 3])
        await sample.stop()
    }

    @Test func whoeverComesSeesWhatWasAnsweredAndNotYetSynced() async throws {
        var limits = JournalLimits.small()
        limits.durability = .interval
        limits.syncInterval = .seconds(3_600)
        let sample = try JournalSample(limits, for: [.init("a")])
        try await append(1...3, to: sample)
        let old = sample.journal.reader(0)
        old.leave()
        let new = try await sample.exchange(for: [.init("a")])[0]
        #expect(await numbers(new) == [1, 2, 3])
        await sample.stop()
    }
}
