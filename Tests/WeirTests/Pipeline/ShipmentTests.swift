import Testing

@testable import Weir

@Suite struct ShipmentTests {
    private let backoff = Backoff(initial: .seconds(1), longest: .seconds(30), multiplier: 2)

    @Test func isDoneAtOnceWhereEverythingIsTaken() {
        var shipment = shipment(spans: [2, 3, 1])
        #expect(shipment.next?.piece.spanCount == 6)
        #expect(shipment.finish() == [Shipment.Finished(sequences: 1...3, spans: 6, sentSpans: 6)])
        #expect(shipment.next == nil)
    }

    @Test func findsTheOneBadSpanWithFewAttempts() {
        for seed in UInt64(0)..<200 {
            var random = SplitMix64(seed: seed)
            let spans = (0..<1 + random.below(200)).map { _ in 1 + random.below(50) }
            let badRecord = random.below(spans.count)
            let bad = (UInt64(badRecord + 1), random.below(spans[badRecord]))
            let (attempts, buried, sent) = deliver(shipment(spans: spans), refusing: [bad])
            let total = spans.reduce(0, +)
            #expect(buried == 1, "seed \(seed)")
            #expect(sent == total - 1, "seed \(seed)")
            // Halves of records and then of spans: each round asks at most twice.
            let rounds = Double(spans.count.bitWidth - (spans.count - 1).leadingZeroBitCount) + 6
            #expect(Double(attempts) <= 1 + 2 * rounds, "seed \(seed)")
        }
    }

    @Test func takesEachSpanOnceHoweverManyAreRefused() {
        for seed in UInt64(0)..<200 {
            var random = SplitMix64(seed: seed)
            let spans = (0..<1 + random.below(40)).map { _ in 1 + random.below(10) }
            var bad: [(UInt64, Int)] = []
            for (index, count) in spans.enumerated() {
                for span in 0..<count where random.chance(10) { bad.append((UInt64(index + 1), span)) }
            }
            let (_, buried, sent) = deliver(shipment(spans: spans), refusing: bad)
            #expect(buried == bad.count, "seed \(seed)")
            #expect(sent == spans.reduce(0, +) - bad.count, "seed \(seed)")
        }
    }

    @Test func aTenantThatMayHaveNoMoreLettersIsOneOfSeveral() {
        let records = ["a", "b", "a", "c"].enumerated().map { index, tenant in
            JournalRecord(
                sequence: UInt64(index + 1), tenant: tenant, receivedAt: Timestamp(nanoseconds: 0), spanCount: 1,
                payload: .empty)
        }
        var shipment = Shipment(records, splitsRecords: true, backoff: backoff)
        shipment.giveUp("for long")
        let isSeparate = shipment.separateTenants()
        #expect(isSeparate)
        var found: [[UInt64]] = []
        while let part = shipment.next {
            #expect(part.fate == .bury("for long"))
            found.append(part.piece.records.map(\.sequence))
            let isOfSeveral = shipment.separateTenants()
            #expect(!isOfSeveral)
            _ = shipment.finish()
        }
        #expect(found == [[1, 3], [2], [4]])
    }

    @Test func stopsHalvingWhereEverythingIsRefused() {
        var shipment = shipment(spans: Array(repeating: 1, count: 8_192))
        var (attempts, buried) = (0, 0)
        while let part = shipment.next {
            switch part.fate {
            case .export:
                attempts += 1
                shipment.refuse("no")
            case .bury, .park:
                buried += part.piece.spanCount
                _ = shipment.finish()
            }
        }
        #expect(buried == 8_192)
        #expect(attempts <= Shipment.maxRefusals + 14)
    }

    @Test func keepsARecordWholeThatMustStayWhole() {
        var shipment = shipment(spans: [5, 5], splitsRecords: false)
        shipment.refuse("no")
        shipment.refuse("no")
        #expect(shipment.next?.fate == .bury("no"))
        #expect(shipment.next?.piece.spanCount == 5)
        #expect(shipment.finish() == [Shipment.Finished(sequences: 1...1, spans: 5, sentSpans: 0)])
        #expect(shipment.finish() == [Shipment.Finished(sequences: 2...2, spans: 5, sentSpans: 5)])
    }

    @Test func saysThatARecordIsDoneOnlyWithItsLastSpan() {
        var shipment = shipment(spans: [4])
        shipment.refuse("no")
        #expect(shipment.finish() == [])
        #expect(shipment.finish() == [Shipment.Finished(sequences: 1...1, spans: 4, sentSpans: 4)])
    }

    @Test func putsAWholeRecordAsideThatCannotBeTakenApart() {
        var shipment = shipment(spans: [4, 2])
        shipment.refuse("no")
        shipment.refuse("odd")
        shipment.refuseWhole()
        #expect(shipment.next?.piece.spanCount == 4)
        #expect(shipment.next?.fate == .bury("odd (and its spans cannot be told apart)"))
        _ = shipment.finish()
        #expect(shipment.next?.piece.records.map(\.sequence) == [2])
        #expect(shipment.next?.fate == .export)
    }

    @Test func setsOneTenantAsideAndGoesOnWithTheOthers() {
        var shipment = Shipment(
            ["a", "b", "a", "b"].enumerated().map { record(UInt64($0 + 1), spans: 1, tenant: $1) },
            splitsRecords: true, backoff: backoff)
        let hasStranger = shipment.park("c", "wrong key")
        #expect(!hasStranger)
        let hasTenant = shipment.park("a", "wrong key")
        #expect(hasTenant)
        #expect(shipment.next?.fate == .park("a", "wrong key"))
        #expect(
            shipment.finish() == [
                Shipment.Finished(sequences: 1...1, spans: 1, sentSpans: 0),
                Shipment.Finished(sequences: 3...3, spans: 1, sentSpans: 0),
            ])
        #expect(shipment.next?.piece.records.map(\.sequence) == [2, 4])
        #expect(shipment.next?.fate == .export)
    }

    // MARK: Deliveries

    private func deliver(
        _ shipment: Shipment, refusing bad: [(sequence: UInt64, span: Int)]
    ) -> (attempts: Int, buried: Int, sent: Int) {
        var shipment = shipment
        var (attempts, buried, sent, counted) = (0, 0, 0, 0)
        while let part = shipment.next {
            if part.fate == .export {
                attempts += 1
                let isRefused = bad.contains { sequence, span in
                    part.piece.records.contains { $0.sequence == sequence }
                        && (part.piece.spans?.contains(span) ?? true)
                }
                if isRefused {
                    shipment.refuse("no")
                    continue
                }
                sent += part.piece.spanCount
            } else {
                buried += part.piece.spanCount
            }
            counted += shipment.finish().reduce(0) { $0 + $1.sentSpans }
        }
        #expect(counted == sent)
        return (attempts, buried, sent)
    }

    private func shipment(spans: [Int], splitsRecords: Bool = true) -> Shipment {
        Shipment(
            spans.enumerated().map { record(UInt64($0 + 1), spans: $1) }, splitsRecords: splitsRecords,
            backoff: backoff)
    }

    private func record(_ sequence: UInt64, spans: Int, tenant: String = "a") -> JournalRecord {
        JournalRecord(
            sequence: sequence, tenant: tenant, receivedAt: Timestamp(nanoseconds: 0), spanCount: spans,
            payload: .empty)
    }
}
