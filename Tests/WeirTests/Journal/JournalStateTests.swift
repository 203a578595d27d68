import Testing

@testable import Weir

@Suite struct JournalStateTests {
    @Test(arguments: 0..<60 as Range<UInt64>)
    func doesWhatTheNaiveJournalDoes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let policies = (0..<random.below(5)).map { _ in random.pick(FullPolicy.allCases) }
        var pair = Pair(maxBytes: 300 + random.below(6_000), policies)
        for step in 0..<2_000 {
            switch random.below(10) {
            case 0..<5: pair.append(spans: random.below(20), payload: random.below(700))
            case 5..<9 where !policies.isEmpty: pair.readAndCommit(random.below(policies.count), &random)
            default: pair.askForRoom(random.below(3_000))
            }
            pair.checkInvariants()
            if pair.hasFailed {
                Issue.record("seed \(seed), step \(step), readers \(policies): \(pair.failures)")
                return
            }
        }
    }

    @Test func takesEverythingAndKeepsNothingWithoutAnExporter() {
        var state = JournalState(maxBytes: 1_000)
        for sequence in 1...10 as ClosedRange<UInt64> {
            #expect(state.append { record($0, payload: 500) } == .taken(sequence: sequence, gaps: []))
            #expect(state.bytes == 0)
        }
    }

    @Test func countsARecordWithoutBytesToo() {
        var state = JournalState(maxBytes: 3 * JournalState.recordOverhead)
        _ = state.addCursor(onFull: .refuse)
        for _ in 1...3 { #expect(state.append { record($0, payload: 0) } != .full) }
        #expect(state.append { record($0, payload: 0) } == .full)
    }

    @Test func neverSkipsForARecordThatCannotFit() {
        var state = JournalState(maxBytes: 1_000)
        _ = state.addCursor(onFull: .skip)
        #expect(state.append { record($0, payload: 700) } == .taken(sequence: 1, gaps: []))
        #expect(state.append { record($0, payload: 800) } == .full)
        #expect(state.cursors[0].waitingSpans == 1)
    }

    @Test func skipsTheExporterThatMayBeSkippedAndNotTheOther() {
        var state = JournalState(maxBytes: 1_000)
        let patient = state.addCursor(onFull: .refuse)
        let hasty = state.addCursor(onFull: .skip)
        #expect(state.append { record($0, payload: 244) } == .taken(sequence: 1, gaps: []))
        #expect(state.append { record($0, payload: 244) } == .taken(sequence: 2, gaps: []))
        #expect(state.append { record($0, payload: 244) } == .full)
        state.commit(patient, through: 1)
        let gap = JournalState.Gap(cursor: hasty, sequences: 1...1, spans: 1)
        #expect(state.append { record($0, payload: 244) } == .taken(sequence: 3, gaps: [gap]))
        #expect(state.read(patient, maxSpans: 100, maxBytes: 10_000).map(\.sequence) == [2, 3])
        #expect(state.read(hasty, maxSpans: 100, maxBytes: 10_000).map(\.sequence) == [2, 3])
    }

    @Test func takesTheDeliveryOfASkippedRecordForWhatItIs() {
        var state = JournalState(maxBytes: 600)
        let cursor = state.addCursor(onFull: .skip)
        for _ in 1...3 { _ = state.append { record($0, payload: 100) } }
        #expect(state.cursors[cursor].next == 3)
        state.commit(cursor, through: 1)
        #expect(state.cursors[cursor].next == 3)
        #expect(state.cursors[cursor].waitingSpans == 1)
    }

    /// A journal and its naive twin, and in what they differ.
    private struct Pair {
        private var state: JournalState
        private var naive: NaiveJournal
        private(set) var failures: [String] = []

        var hasFailed: Bool { !failures.isEmpty }

        init(maxBytes: Int, _ policies: [FullPolicy]) {
            state = JournalState(maxBytes: maxBytes)
            naive = NaiveJournal(maxBytes: maxBytes, readers: policies)
            for policy in policies { _ = state.addCursor(onFull: policy) }
        }

        mutating func append(spans: Int, payload: Int) {
            let skipped = naive.append(spans: spans, size: payload + JournalState.recordOverhead)
            let wanted = skipped.map { skipped in
                JournalState.Appended.taken(
                    sequence: naive.acceptedRecords,
                    gaps: skipped.map { reader, record in
                        JournalState.Gap(
                            cursor: reader, sequences: record.sequence...record.sequence, spans: record.spans)
                    })
            }
            expect(state.append { record($0, spans: spans, payload: payload) }, wanted ?? .full, "append")
        }

        mutating func readAndCommit(_ reader: Int, _ random: inout SplitMix64) {
            let (maxSpans, maxBytes) = (random.below(60), random.below(2_000))
            let read = state.read(reader, maxSpans: maxSpans, maxBytes: maxBytes)
            let wanted = naive.read(reader, maxSpans: maxSpans, maxBytes: maxBytes)
            expect(read.map(NaiveJournal.Record.init), wanted, "read")
            // Sometimes less than was read, and sometimes what was committed before.
            let sequence = random.chance(10) ? UInt64(random.below(3)) : read.randomElement(using: &random)?.sequence
            guard let sequence, sequence <= naive.acceptedRecords else { return }
            state.commit(reader, through: sequence)
            naive.commit(reader, through: sequence)
        }

        mutating func askForRoom(_ size: Int) {
            expect(state.hasRoom(for: size), naive.hasRoom(for: size), "room for \(size)")
        }

        mutating func checkInvariants() {
            expect(state.bytes, naive.bytes, "bytes")
            if state.bytes > state.maxBytes { failures.append("\(state.bytes) bytes of \(state.maxBytes)") }
            for (cursor, reader) in zip(state.cursors, naive.readers) {
                expect(cursor.waitingSpans, reader.waiting.reduce(0) { $0 + $1.spans }, "waiting spans")
                expect(cursor.waitingBytes, reader.waiting.reduce(0) { $0 + $1.size }, "waiting bytes")
                expect(
                    naive.acceptedSpans, reader.deliveredSpans + reader.skippedSpans + cursor.waitingSpans,
                    "accepted = delivered + skipped + waiting")
            }
        }

        private mutating func expect<Value: Equatable>(_ found: Value, _ wanted: Value, _ what: String) {
            if found != wanted { failures.append("\(what): found \(found), wanted \(wanted)") }
        }
    }
}

extension NaiveJournal.Record {
    fileprivate init(_ record: JournalRecord) {
        self.init(sequence: record.sequence, spans: record.spanCount, size: JournalState.size(of: record))
    }
}

private func record(_ sequence: UInt64, spans: Int = 1, payload: Int) -> JournalRecord {
    JournalRecord(
        sequence: sequence, tenant: "default", receivedAt: Timestamp(nanoseconds: 0), spanCount: spans,
        payload: .zeros(payload))
}
