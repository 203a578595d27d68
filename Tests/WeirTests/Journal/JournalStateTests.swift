import Testing

@testable import Weir

@Suite struct JournalStateTests {
    /// A journal of 100 segments of 1,000 bytes, each filled by one record.
    private struct Sample {
        var state: JournalState
        private var sequence: UInt64 = 0

        init(
            _ policies: [FullPolicy] = [.refuse], tenantBytes: Int = 100_000, cachedBytes: Int = 1 << 20,
            areReadAgain: Bool = false
        ) {
            var limits = JournalLimits(maxBytes: 100_000)
            limits.tenantBytes = tenantBytes
            limits.cachedBytes = cachedBytes
            limits.areReadAgain = areReadAgain
            state = JournalState(limits)
            for (index, policy) in policies.enumerated() { _ = state.addReader("\(index)", onFull: policy) }
        }

        @discardableResult
        mutating func add(_ count: Int, spans: Int = 1, tenant: String = "t") -> [Int] {
            var due: Set<Int> = []
            for _ in 0..<count {
                sequence += 1
                let header = SegmentHeader(
                    journal: JournalID(value: 1), id: sequence, firstSequence: sequence,
                    createdAt: Timestamp(nanoseconds: 0), isJump: false)
                let record = JournalRecord(
                    sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: 0), spanCount: spans,
                    payload: .empty)
                due.formUnion(
                    state.add([
                        JournalLog.Placed(record: record, segment: header, segmentSize: 1_000, offset: 0, length: 1_000)
                    ]))
            }
            return due.sorted()
        }

        mutating func finish(_ count: Int, _ reader: Int = 0) {
            let next = state.readers[reader].cursor.next
            _ = state.next(reader, maxSpans: .max, maxBytes: .max)
            _ = state.commit(reader, next...next + UInt64(count) - 1)
        }
    }

    @Test func forOneThatHasLeftNothingIsHeldAndNothingCounted() {
        var sample = Sample([.refuse, .skip])
        sample.add(86)
        sample.finish(86, 0)
        #expect(sample.state.mark == .red)
        sample.state.removeReader(1)
        #expect(sample.state.mark == .green && sample.state.hasReleasable)
        #expect(sample.state.cursors == [Cursor(next: 87), nil])
        sample.add(86)
        #expect(sample.state.readers[1].unsettled == Load())
        #expect(sample.state.refusal(of: entry(96)) != nil)
        sample.state.makeRoom(for: entry(96))
        #expect(sample.state.refusal(of: entry(96)) != nil, "the one who may skip is not there")
        #expect(sample.state.takeGaps() == [])
    }

    @Test func oneThatComesBackUnderItsNameHasItsPlaceAndBeginsWhereItWas() {
        var sample = Sample([.refuse, .refuse])
        sample.add(10)
        sample.finish(4, 0)
        _ = sample.state.commit(0, 7...8)
        let before = sample.state.readers[0]
        #expect(before.position == 11 && before.unsettled.records == 4)
        let index = sample.state.addReader(
            "0", onFull: .skip, cursor: before.cursor, unsettled: before.unsettled)
        #expect(index == 0 && sample.state.readers.count == 2)
        guard case .memory(let records) = sample.state.next(0, maxSpans: .max, maxBytes: .max) else {
            Issue.record("they are not in memory")
            return
        }
        #expect(records.map(\.sequence) == [5, 6, 9, 10])
        #expect(sample.state.readers[0].unread == Load())
    }

    private func entry(_ bytes: Int, tenant: String = "") -> JournalEntry {
        .numbered(1, bytes: bytes - RecordHeader.size, tenant: tenant)
    }

    @Test func itFillsFromGreenOverYellowToRedAndIsRelievedLater() {
        var sample = Sample()
        #expect(sample.state.mark == .green)
        sample.add(70)
        #expect((sample.state.usedBytes, sample.state.mark) == (70_000, .green))
        sample.add(1)
        #expect(sample.state.mark == .yellow)
        sample.add(14)
        #expect((sample.state.usedBytes, sample.state.mark) == (85_000, .yellow))
        sample.add(1)
        #expect(sample.state.mark == .red)
        #expect(sample.state.refusal(of: entry(96)) != nil)
        #expect(sample.state.excessBytes == 6_000)
        sample.finish(5)
        #expect((sample.state.usedBytes, sample.state.mark) == (81_000, .red))
        sample.finish(1)
        #expect((sample.state.usedBytes, sample.state.mark) == (80_000, .yellow))
        #expect(sample.state.refusal(of: entry(96)) == nil)
        #expect(sample.state.excessBytes == 0)
        sample.finish(10)
        #expect(sample.state.mark == .green)
        sample.finish(70)
        #expect(sample.state.usedBytes == 0)
    }

    @Test func whatWaitsToBeWrittenTakesRoomToo() {
        var sample = Sample()
        sample.add(80)
        #expect(sample.state.refusal(of: entry(4_992)) == nil)
        #expect(sample.state.refusal(of: entry(5_008)) != nil)
        sample.state.queuedBytes = 3_000
        #expect(sample.state.refusal(of: entry(2_000)) == nil)
        #expect(sample.state.refusal(of: entry(2_016)) != nil)
    }

    @Test func aTenantIsOverItsQuotaOnlyWhereTheJournalIsFilling() {
        var sample = Sample(tenantBytes: 40_000)
        sample.add(41, tenant: "loud")
        sample.add(29, tenant: "quiet")
        #expect(!sample.state.isOverQuota("loud"))
        sample.add(1, tenant: "quiet")
        #expect(sample.state.isOverQuota("loud"))
        #expect(!sample.state.isOverQuota("quiet"))
        #expect(!sample.state.isOverQuota("new"))
        #expect(sample.state.bytes(of: "loud") == 41_000)
        sample.finish(1)
        sample.add(1, tenant: "quiet")
        #expect(sample.state.mark == .yellow)
        #expect(!sample.state.isOverQuota("loud"), "it holds what it may")
    }

    @Test func aTenantDoesNotAnswerForWhatOnlyThoseHoldWhoMaySkip() {
        var sample = Sample([.skip, .refuse], tenantBytes: 40_000)
        sample.add(50, tenant: "loud")
        sample.add(21, tenant: "quiet")
        #expect(sample.state.mark == .yellow)
        #expect(sample.state.isOverQuota("loud"))
        sample.finish(71, 1)
        #expect(sample.state.mark == .yellow)
        #expect(!sample.state.isOverQuota("loud"))
        sample.state.makeRoom(for: entry(96, tenant: "loud"))
        #expect(sample.state.takeGaps() == [], "there is room")
        var alone = Sample([.skip], tenantBytes: 0)
        alone.add(71, tenant: "loud")
        #expect(alone.state.mark == .yellow && !alone.state.isOverQuota("loud"))
    }

    @Test func whoMaySkipPassesWhatATenantWouldBeRefusedFor() {
        var sample = Sample([.skip, .refuse], tenantBytes: 40_000)
        sample.add(76, tenant: "loud")
        sample.finish(30, 1)
        #expect(sample.state.mark == .yellow && sample.state.isOverQuota("loud"))
        sample.state.makeRoom(for: entry(96, tenant: "quiet"))
        #expect(sample.state.takeGaps() == [], "it is not over its own")
        sample.state.makeRoom(for: entry(96, tenant: "loud"))
        #expect(sample.state.takeGaps().count == 6)
        #expect(sample.state.mark == .green && !sample.state.isOverQuota("loud"))
        // What the other one holds is the tenant's own doing.
        sample.add(34, tenant: "loud")
        sample.state.makeRoom(for: entry(96, tenant: "loud"))
        #expect(sample.state.mark == .yellow && sample.state.isOverQuota("loud"))
    }

    @Test func whatEverybodyHasPassedIsLetGoOf() {
        var sample = Sample([.refuse, .refuse])
        sample.add(10)
        sample.finish(4, 0)
        #expect(!sample.state.hasReleasable)
        sample.finish(3, 1)
        #expect(sample.state.hasReleasable)
        #expect(sample.state.takeReleasable(below: 3).map(\.firstSequence) == [1, 2])
        #expect(sample.state.takeReleasable(below: 4).map(\.firstSequence) == [3])
        #expect(!sample.state.hasReleasable)
        #expect(sample.state.segments.first?.firstSequence == 4)
        sample.finish(6, 0)
        sample.finish(7, 1)
        #expect(
            sample.state.takeReleasable(below: .max).map(\.firstSequence) == Array(4...9), "the newest is written to")
        #expect(sample.state.usedBytes == 0)
    }

    @Test func whoMaySkipPassesWhatIsInTheWay() {
        var sample = Sample([.skip, .refuse])
        sample.add(84)
        sample.finish(84, 1)
        sample.state.makeRoom(for: entry(96))
        #expect(sample.state.takeGaps() == [], "there is room")
        sample.state.makeRoom(for: entry(2_000))
        #expect(sample.state.usedBytes == 70_000)
        #expect(
            sample.state.takeGaps().map(\.sequences) == (1...14).map { $0...$0 },
            "one gap for each segment")
        #expect(sample.state.readers[0].unsettled == Load(records: 70, spans: 70, bytes: 70_000))
        #expect(sample.state.takeReleasable(below: 15).count == 14)
        guard case .memory(let records) = sample.state.next(0, maxSpans: 1, maxBytes: 1) else {
            Issue.record("nothing to be read")
            return
        }
        #expect(records.map(\.sequence) == [15])
    }

    @Test func whatIsUnderWayCountsAsSkippedSinceNobodyWouldKnowIfItFailed() {
        var sample = Sample([.skip])
        sample.add(84)
        _ = sample.state.next(0, maxSpans: 5, maxBytes: .max)
        sample.state.makeRoom(for: entry(2_000))
        let gaps = sample.state.takeGaps()
        #expect(gaps.map(\.sequences.lowerBound).min() == 1)
        #expect(gaps.reduce(0) { $0 + ($1.spans ?? 0) } == 14)
        #expect(gaps.allSatisfy { $0.reason == .skipped && $0.exporter == "0" })
        #expect(sample.state.commit(0, 1...5) == 0)
        #expect(sample.state.readers[0].unsettled.records == 70)
    }

    @Test func nobodySkipsWhatAnotherHolds() {
        var sample = Sample([.skip, .refuse])
        sample.add(86)
        sample.state.makeRoom(for: entry(96))
        #expect(sample.state.takeGaps() == [])
        #expect(sample.state.mark == .red)
        sample.finish(3, 1)
        sample.state.makeRoom(for: entry(96))
        #expect(sample.state.takeGaps().count == 3)
        #expect(sample.state.refusal(of: entry(96)) != nil)
    }

    @Test func aLargeEntryMakesRoomForItself() {
        var sample = Sample([.skip])
        sample.add(60)
        let large = entry(40_000)
        #expect(sample.state.refusal(of: large) != nil)
        sample.state.makeRoom(for: large)
        #expect(sample.state.refusal(of: large) == nil)
        #expect(sample.state.usedBytes == 45_000)
    }

    @Test func aReaderIsToldOfTheFirstAndOfAFullBatch() {
        var sample = Sample([.refuse, .refuse])
        #expect(sample.add(1) == [0, 1])
        #expect(sample.add(1) == [])
        sample.finish(2, 1)
        #expect(sample.add(1) == [1])
        #expect(sample.add(1, spans: JournalReader.batchSpans - 4) == [])
        #expect(sample.add(1) == [0])
        #expect(sample.add(1) == [])
        #expect(sample.add(1) == [1])
        #expect(sample.add(1) == [])
    }

    @Test func theNewestAreKeptInMemoryAsFarAsTheyFit() {
        var sample = Sample(cachedBytes: 5_000)
        sample.add(8)
        #expect(sample.state.cacheBytes == 5_000)
        guard case .disk(let segment, nil, from: 1) = sample.state.next(0, maxSpans: 9, maxBytes: .max) else {
            Issue.record("the first is not in memory")
            return
        }
        #expect(segment.firstSequence == 1)
        sample.state.pass(0, to: 4)
        guard case .memory(let records) = sample.state.next(0, maxSpans: 9, maxBytes: .max) else {
            Issue.record("the fourth is in memory")
            return
        }
        #expect(records.map(\.sequence) == Array(4...8))
        sample.add(1)
        #expect(sample.state.cacheBytes == 1_000, "nobody wants the others any more")
    }

    @Test func whatIsReadAgainStaysInMemoryUntilItIsDoneAsFarAsItFits() {
        var sample = Sample(cachedBytes: 5_000, areReadAgain: true)
        sample.add(4)
        _ = sample.state.next(0, maxSpans: 9, maxBytes: .max)
        sample.add(1)
        #expect(sample.state.again(from: 1, maxSpans: 9, maxBytes: .max)?.map(\.sequence) == Array(1...5))
        #expect(sample.state.again(from: 2, maxSpans: 2, maxBytes: .max)?.map(\.sequence) == [2, 3])
        #expect(sample.state.again(from: 2, maxSpans: 9, maxBytes: 1)?.map(\.sequence) == [2])
        #expect(sample.state.again(from: 6, maxSpans: 9, maxBytes: .max)?.isEmpty == true)
        _ = sample.state.commit(0, 1...2)
        sample.add(1)
        #expect(sample.state.again(from: 2, maxSpans: 9, maxBytes: .max) == nil)
        #expect(sample.state.cacheBytes == 4_000)
        sample.add(3)
        #expect(sample.state.cacheBytes == 5_000)
        #expect(sample.state.again(from: 4, maxSpans: 9, maxBytes: .max) == nil)
        #expect(sample.state.again(from: 5, maxSpans: 9, maxBytes: .max)?.map(\.sequence) == Array(5...9))
    }
}
