import Foundation
import Testing

@testable import Weir

/// The ways in which other collectors lose spans on their way to a destination, one test each.
@Suite(.hangLimit) struct DeliveryLossTests {
    private let temporary: TemporaryDirectory
    private let sample: DeliverySample

    init() throws {
        temporary = try TemporaryDirectory()
        sample = try DeliverySample(directory: temporary)
    }

    @Test func anOutageOfAnyLengthDeletesNothing() async throws {
        let down = ExportError.retryable("down", after: nil)
        let destination = TestDestination(failures: Array(repeating: down, count: 30))
        try sample.deliver(to: destination)
        for id in UInt64(1)...20 { try await sample.append(id...id) }
        try await eventually("everything is taken") { destination.takenSpans.count == 20 }
        await sample.stop()
        #expect(sample.deadLetters() == [])
    }

    @Test func aBatchThatFailsForTooLongIsKeptAndNotDropped() async throws {
        let destination = TestDestination(always: .retryable("down", after: nil))
        try sample.deliver(
            to: destination, .init(retry: "initial_interval: 1ms, max_interval: 2ms, max_elapsed_time: 20ms"))
        try await sample.append(1...3)
        try await eventually("it is given up") { sample.counter("weir_exporter_dead_letter_spans") == 3 }
        #expect(destination.attempts.count > 1)
        #expect(sample.deadLetters().count == 1)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 3)
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 0)
    }

    @Test func aStopDuringAnOutageLosesNothing() async throws {
        let destination = TestDestination(always: .retryable("down", after: nil))
        try sample.deliver(to: destination, .init(queue: "num_consumers: 4"))
        for _ in 1...10 { try await sample.append(spans: JournalReader.batchSpans) }
        try await eventually("all four fail") { destination.attempts.count > 8 }
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 10)
    }

    @Test func readingABatchTakesNothingOutOfTheJournal() async throws {
        let gate = Gate()
        try sample.deliver(to: TestDestination(gate: gate))
        try await sample.append(1...3)
        let before = sample.journal.unsettled(0).records
        try await eventually("it is under way") { gate.waitingCount == 1 }
        #expect(sample.journal.unsettled(0).records == before)
        gate.open()
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 0)
    }

    @Test func aRecordThatCannotBeReadIsKeptAndNotSkipped() async throws {
        let destination = TestDestination { batch in
            batch.records.contains { $0.sequence == 2 } ? .rejected("what is that") : nil
        }
        try sample.deliver(to: destination)
        try await sample.append(1...2)
        // Zero bytes are no spans, whatever the record says.
        try await sample.append(spans: 5, bytes: 20)
        try await sample.append(3...4)
        await sample.stop()
        #expect(destination.takenSpans == ["span 1", "span 2", "span 3", "span 4"])
        #expect(sample.deadLetters().count == 1)
        #expect(sample.deadLetters()[0].contains("what is that (and its spans cannot be told apart)"))
        #expect(sample.counter("weir_exporter_dead_letter_spans") == 5)
    }

    @Test func oneFullBranchSendsNothingTwiceToTheOthers() async throws {
        let gate = Gate()
        let sound = TestDestination()
        try sample.deliver(to: TestDestination(gate: gate), named: "full")
        try sample.deliver(to: sound, named: "sound")
        for id in UInt64(1)...50 { try await sample.append(id...id) }
        try await eventually("the sound one has everything") { sound.takenSpans.count == 50 }
        gate.open()
        await sample.stop()
        #expect(Set(sound.takenSpans).count == 50)
        #expect(sound.takenSpans.count == 50)
    }

    @Test func aBatchThatIsTooLargeIsTakenInParts() async throws {
        let destination = TestDestination { $0.spanCount > 10 ? .rejected("413") : nil }
        try sample.deliver(to: destination)
        for first in stride(from: UInt64(1), to: 400, by: 40) { try await sample.append(first...first + 39) }
        await sample.stop()
        #expect(destination.takenSpans == (1...400).map { "span \($0)" })
        #expect(destination.batches.allSatisfy { $0.spanCount <= 10 })
        #expect(sample.counter("otelcol_exporter_sent_spans") == 400)
        #expect(sample.deadLetters() == [])
    }

    @Test func oneBadSpanDoesNotTakeItsBatchAlong() async throws {
        let destination = TestDestination { $0.spanNames.contains("span 37") ? .rejected("it is odd") : nil }
        try sample.deliver(to: destination, .init(batch: "flush_timeout: 20ms"))
        for first in stride(from: UInt64(1), to: 100, by: 10) { try await sample.append(first...first + 9) }
        await sample.stop()
        #expect(destination.takenSpans == (1...100).filter { $0 != 37 }.map { "span \($0)" })
        #expect(sample.counter("otelcol_exporter_sent_spans") == 99)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 1)
        let line = try #require(sample.deadLetters().first)
        let entry = Array(line.utf8).withUnsafeBytes { LetterEntry(parsing: $0) }
        guard case .record(let kept) = entry else {
            Issue.record("found \(line)")
            return
        }
        #expect(kept.record.sequence == 4)
        #expect(FrozenBatch(records: [kept.record]).spanNames == ["span 37"])
        #expect(sample.log.lines == ["error: put spans into the dead letters reason=it is odd spans=1"])
    }

    @Test func aBranchThatBlocksStallsNoOther() async throws {
        let gate = Gate()
        let sound = TestDestination()
        try sample.deliver(to: TestDestination(gate: gate), named: "blocking", .init("timeout: 1ms"))
        try sample.deliver(to: sound, named: "sound")
        try await sample.append(1...3)
        try await eventually("the sound one has it") { sound.takenSpans.count == 3 }
        gate.open()
        await sample.stop()
    }

    @Test func fullDeadLettersHoldTheDeliveryAndDropNothing() async throws {
        let destination = TestDestination { $0.records[0].sequence < 3 ? .rejected("bad") : nil }
        try sample.deliver(
            to: destination, .init(batch: "flush_timeout: 1ms, max_spans: 1"),
            letters: LetterDirectory.Limits(deadLetters: 500, parked: 0))
        for id in UInt64(1)...4 { try await sample.append(id...id, tenant: id == 2 ? "bank" : "shop") }
        try await eventually("there is no room for the second") {
            sample.log.lines.contains { $0.hasSuffix("dead_letters.max_bytes retry_in=1ms") }
        }
        try await eventually("that is said") { sample.gauge("weir_exporter_held_batches") == 1 }
        #expect(sample.gauge("weir_exporter_retrying") > 0)
        #expect(destination.takenSpans == [])
        #expect(sample.journal.unsettled(0).records > 0)
        // Somebody makes room.
        try FileManager.default.removeItem(atPath: "\(sample.directory)/dead_letters/test~a/letters.jsonl")
        try await eventually("it goes on") { destination.takenSpans == ["span 3", "span 4"] }
        await sample.stop()
        #expect(sample.counter("weir_exporter_dead_letter_spans") == 2)
        #expect(sample.gauge("weir_exporter_held_batches") == 0)
        #expect(sample.journal.unsettled(0).records == 0)
        #expect(sample.gaps == [])
    }

    @Test func aTenantThatFillsTheDeadLettersMissesRecordsAndHoldsUpNobody() async throws {
        let destination = TestDestination { batch in
            batch.records.contains { $0.tenant == "shop" } ? .rejected("bad") : nil
        }
        try sample.deliver(
            to: destination, .init(queue: "num_consumers: 1", batch: "flush_timeout: 1ms, max_spans: 1"),
            letters: LetterDirectory.Limits(deadLetters: 500, parked: 0))
        for id in UInt64(1)...8 { try await sample.append(id...id, tenant: id % 2 == 0 ? "shop" : "bank") }
        try await eventually("the others have everything") { destination.takenSpans.count == 4 }
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 0)
        #expect(sample.deadLetters().count == 1)
        let gaps = [4, 6, 8].map {
            JournalGap(reason: .overflow, sequences: $0...$0, spans: 1, exporter: "test~a", tenant: "shop", records: 1)
        }
        #expect(sample.gaps == gaps)
    }

    @Test func aTenantWithAWrongKeyStopsNobodyElse() async throws {
        let isBlocked = Flag()
        let destination = TestDestination { batch in
            guard isBlocked.isSet, batch.records.contains(where: { $0.tenant == "shop" }) else { return nil }
            return .tenantBlocked("shop", "401")
        }
        try sample.deliver(to: destination, .init(retry: "initial_interval: 20ms, max_interval: 20ms"))
        isBlocked.set(true)
        for id in UInt64(1)...10 { try await sample.append(id...id, tenant: id % 2 == 0 ? "shop" : "bank") }
        try await eventually("the others have everything") { destination.takenSpans.count == 5 }
        try await eventually("the journal is free") { sample.journal.unsettled(0).records == 0 }
        #expect(sample.parkedFiles().count == 1)
        #expect(sample.gauge("weir_exporter_parked_spans") == 5)
        isBlocked.set(false)
        try await eventually("the tenant has everything") { destination.takenSpans.count == 10 }
        try await eventually("nothing is parked") { sample.gauge("weir_exporter_parked_spans") == 0 }
        #expect(destination.takenSpans.suffix(5) == [2, 4, 6, 8, 10].map { "span \($0)" })
        #expect(sample.parkedFiles() == [])
        try await sample.append(11...11, tenant: "shop")
        await sample.stop()
        #expect(destination.takenSpans.last == "span 11")
        #expect(sample.counter("otelcol_exporter_sent_spans") == 11)
        #expect(sample.deadLetters() == [])
    }

    @Test func aTenantThatFillsTheSpillMissesRecordsAndHoldsUpNobody() async throws {
        let isBlocked = Flag()
        isBlocked.set(true)
        let destination = TestDestination { batch in
            guard isBlocked.isSet, batch.records.contains(where: { $0.tenant == "shop" }) else { return nil }
            return .tenantBlocked("shop", "401")
        }
        try sample.deliver(
            to: destination, .init(queue: "num_consumers: 1", batch: "flush_timeout: 1ms, max_spans: 1"),
            letters: LetterDirectory.Limits(deadLetters: 0, parked: 500))
        for id in UInt64(1)...8 { try await sample.append(id...id, tenant: id % 2 == 0 ? "shop" : "bank") }
        try await eventually("the others have everything") { destination.takenSpans.count == 4 }
        try await eventually("the journal is free") { sample.journal.unsettled(0).records == 0 }
        #expect(sample.gauge("weir_exporter_parked_spans") == 1)
        func gaps(_ sequences: [UInt64]) -> [JournalGap] {
            sequences.map {
                JournalGap(
                    reason: .overflow, sequences: $0...$0, spans: 1, exporter: "test~a", tenant: "shop", records: 1)
            }
        }
        #expect(sample.gaps == gaps([4, 6, 8]))
        isBlocked.set(false)
        try await eventually("what is set aside arrives") { destination.takenSpans.last == "span 2" }
        try await eventually("nothing is parked") { sample.gauge("weir_exporter_parked_spans") == 0 }
        try await sample.append(9...9, tenant: "shop")
        try await eventually("it goes on") { destination.takenSpans.last == "span 9" }
        await sample.stop()
        #expect(sample.gaps.count == 3)
    }

    @Test func aTenantWhoseDestinationIsAwayMissesNothingWhereTheSpillIsFull() async throws {
        let isAway = Flag()
        isAway.set(true)
        let destination = TestDestination { batch in
            guard isAway.isSet, batch.records.contains(where: { $0.tenant == "shop" }) else { return nil }
            return .tenantAway("shop", "503")
        }
        try sample.deliver(
            to: destination,
            .init(
                retry: "initial_interval: 20ms, max_interval: 20ms", queue: "num_consumers: 4",
                batch: "flush_timeout: 1ms, max_spans: 1"),
            letters: LetterDirectory.Limits(deadLetters: 0, parked: 500))
        for id in UInt64(1)...6 { try await sample.append(id...id, tenant: id % 2 == 0 ? "shop" : "bank") }
        try await eventually("the others have everything") { destination.takenSpans.count == 3 }
        try await eventually("there is no room for more") { sample.gauge("weir_exporter_parked_spans") == 1 }
        isAway.set(false)
        try await eventually("nothing is missing") { destination.takenSpans.count == 6 }
        await sample.stop()
        #expect(sample.gaps == [])
    }

    @Test func aTenantThatIsParkedStaysSoOverARestart() async throws {
        let blocking = TestDestination(always: .tenantBlocked("shop", "401"))
        try sample.deliver(to: blocking)
        try await sample.append(1...2, tenant: "shop")
        try await sample.append(3...3, tenant: "shop")
        try await eventually("all is parked") { sample.gauge("weir_exporter_parked_spans") == 3 }
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 0)

        let next = try DeliverySample(directory: temporary)
        let destination = TestDestination()
        try next.deliver(to: destination)
        try await next.append(4...4, tenant: "shop")
        try await eventually("it has everything") { destination.takenSpans.count == 4 }
        #expect(destination.takenSpans == ["span 1", "span 2", "span 3", "span 4"])
        #expect(destination.batches[0].recoveredThrough == .max)
        await next.stop()
        #expect(next.parkedFiles() == [])
    }
}
