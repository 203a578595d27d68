import Testing

@testable import Weir

@Suite(.hangLimit) struct DeliveryTests {
    private let sample: DeliverySample

    init() throws {
        sample = try DeliverySample()
    }

    @Test func bringsEverythingInOrder() async throws {
        let destination = TestDestination()
        try sample.deliver(to: destination)
        for _ in 1...1_000 { try await sample.append(spans: 2) }
        await sample.stop()
        #expect(destination.taken.flatMap { $0 } == Array(1...1_000))
        #expect(destination.finishes == 1)
        #expect(sample.counter("otelcol_exporter_sent_spans") == 2_000)
        #expect(sample.journal.status.usedBytes == 0)
        #expect(sample.log.lines == [])
    }

    @Test(arguments: [(4_096, 1), (1, (2 << 20) - 87)])
    func sendsABatchOnceItHasSoManySpansOrBytes(spans: Int, bytes: Int) async throws {
        let destination = TestDestination()
        try sample.deliver(to: destination, .init(batch: "flush_timeout: 60s"))
        try await sample.append(spans: spans, bytes: bytes)
        try await sample.append(spans: spans, bytes: bytes)
        try await eventually("a full batch is sent") { destination.taken == [[1, 2]] }
        await sample.stop()
    }

    @Test func sendsWhatThereIsWhenTheFlushTimeoutIsOver() async throws {
        let destination = TestDestination()
        try sample.deliver(to: destination)
        try await sample.append()
        try await eventually("a small batch is sent") { destination.taken == [[1]] }
        await sample.stop()
    }

    @Test func makesNoBatchLargerThanTheLimit() async throws {
        let gate = Gate()
        let destination = TestDestination(gate: gate)
        try sample.deliver(to: destination)
        for spans in [1, 5_000, 5_000, 9_000, 1_000, 1_000] { try await sample.append(spans: spans) }
        gate.open()
        await sample.stop()
        let taken = destination.taken
        #expect(taken.flatMap { $0 } == [1, 2, 3, 4, 5, 6])
        #expect(!taken.contains { $0.contains(2) && $0.contains(3) || $0.contains(4) && $0.count > 1 })
    }

    @Test func triesTheSameRecordsAgain() async throws {
        let busy = ExportError.retryable("busy", after: nil)
        let gate = Gate()
        let destination = TestDestination(failures: [busy, busy, busy], gate: gate)
        try sample.deliver(to: destination, .init(retry: "initial_interval: 1ms, max_interval: 1ms"))
        try await sample.append(spans: 3)
        try await eventually("the first attempt") { gate.waitingCount == 1 }
        try await sample.append(spans: 4)
        gate.open()
        try await eventually("both are taken") { destination.taken == [[1], [2]] }
        await sample.stop()
        #expect(destination.attempts.map(\.sequences) == [[1], [1], [1], [1], [2]])
        #expect(sample.counter("otelcol_exporter_sent_spans") == 7)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 0)
        #expect(sample.counter("weir_exporter_failed_attempts") == 3)
        #expect(sample.log.lines.count == 3)
        #expect(sample.log.lines.allSatisfy { $0.hasPrefix("warning: could not deliver reason=busy retry_in=") })
    }

    @Test func doesNotTryAgainBeforeTheTimeThatTheDestinationNamed() async throws {
        let pause = Duration.milliseconds(100)
        let destination = TestDestination(failures: [.retryable("busy", after: pause)])
        try sample.deliver(to: destination, .init(queue: "num_consumers: 2"))
        try await sample.append()
        try await eventually("the first attempt fails") { !sample.log.lines.isEmpty }
        // A batch is full, which is news.
        try await sample.append(spans: JournalReader.batchSpans)
        try await eventually("everything is taken") { destination.taken.count == 2 }
        #expect(destination.attempts[1].at - destination.attempts[0].at >= pause)
        await sample.stop()
    }

    @Test func sendsSoManyBatchesSideBySideAndNoMore() async throws {
        let gate = Gate()
        let destination = TestDestination(gate: gate)
        try sample.deliver(to: destination, .init(queue: "num_consumers: 3"))
        for _ in 1...5 { try await sample.append(spans: JournalReader.batchSpans) }
        try await eventually("three are under way") { gate.waitingCount == 3 }
        #expect(sample.gauge("weir_exporter_in_flight_batches") == 3)
        #expect(destination.attempts.count == 3)
        gate.open()
        await sample.stop()
        #expect(destination.taken.flatMap { $0 }.sorted() == [1, 2, 3, 4, 5])
        #expect(sample.gauge("weir_exporter_in_flight_batches") == 0)
    }

    @Test func aHangingOrFailingExporterLeavesItsSiblingsAlone() async throws {
        let gate = Gate()
        let hanging = TestDestination(gate: gate)
        let failing = TestDestination(always: .retryable("down", after: .seconds(3600)))
        let sound = TestDestination()
        try sample.deliver(to: hanging, named: "hanging")
        try sample.deliver(to: failing, named: "failing")
        try sample.deliver(to: sound, named: "sound")
        for _ in 1...100 { try await sample.append() }
        try await eventually("the sound one has everything") { sound.taken.flatMap { $0 } == Array(1...100) }
        #expect(hanging.taken == [])
        #expect(failing.taken == [])
        gate.open()
        await sample.stop()
        #expect(hanging.taken.flatMap { $0 } == Array(1...100))
        #expect(failing.taken == [])
        #expect(sample.counter("otelcol_exporter_send_failed_spans", "failing") == 0)
    }

    @Test(arguments: FullPolicy.allCases)
    func refusesNewRecordsOnlyForAnExporterThatMayNotSkip(policy: FullPolicy) async throws {
        let sample = try DeliverySample(maxBytes: 160_000)
        let gate = Gate()
        let hanging = TestDestination(gate: gate)
        let sound = TestDestination()
        try sample.deliver(to: hanging, named: "hanging", .init("on_full: \(policy.rawValue)"))
        try sample.deliver(to: sound, named: "sound")
        var taken: UInt64 = 0
        for _ in 1...30 {
            do throws(Refusal) {
                try await sample.append(bytes: 16_000)
                taken += 1
            } catch {
                guard case .overloaded = error else { throw error }
            }
            // The sound one is never what the journal is full of.
            try await eventually("the sound one has it") { sound.taken.flatMap { $0 } == Array(1...taken) }
        }
        #expect(taken == (policy == .refuse ? 8 : 30))
        gate.open()
        await sample.stop()
        let late = hanging.taken.flatMap { $0 }
        if policy == .refuse {
            #expect(late == Array(1...8))
        } else {
            #expect(late.last == 30)
        }
    }

    @Test func cancelsAnAttemptThatTakesTooLongAndTriesAgainOnceItHasEnded() async throws {
        let gate = Gate()
        let destination = TestDestination(failures: [.rejected("cancelled")], gate: gate)
        try sample.deliver(to: destination, .init("timeout: 20ms"))
        try await sample.append()
        try await eventually("the log says so") {
            sample.log.lines.contains("warning: an attempt takes too long and is cancelled timeout=20ms")
        }
        #expect(destination.attempts.count == 1, "the first attempt goes on")
        gate.open()
        try await eventually("the second is taken") { destination.taken == [[1]] }
        await sample.stop()
        #expect(sample.log.lines.contains { $0.contains("reason=took longer than 20ms") })
        #expect(sample.deadLetters() == [])
    }

    @Test func countsWhatAnAttemptTookThoughItTookTooLong() async throws {
        let gate = Gate()
        let destination = TestDestination(gate: gate)
        try sample.deliver(to: destination, .init("timeout: 20ms"))
        try await sample.append()
        try await eventually("it takes too long") { !sample.log.lines.isEmpty }
        gate.open()
        await sample.stop()
        #expect(destination.attempts.count == 1)
        #expect(sample.counter("otelcol_exporter_sent_spans") == 1)
        #expect(sample.journal.status.usedBytes == 0)
    }

    @Test func ticksWhileNothingComes() async throws {
        let destination = TestDestination()
        try sample.deliver(to: destination, timing: .ticking)
        _ = sample.journal
        try await eventually("three ticks") { destination.ticks >= 3 }
        await sample.stop()
    }

    @Test func ticksWhileItWaitsToTryAgain() async throws {
        let destination = TestDestination(failures: [.retryable("busy", after: .seconds(3600))])
        try sample.deliver(to: destination, timing: .ticking)
        try await sample.append()
        try await eventually("the first attempt") { destination.attempts.count == 1 }
        let before = destination.ticks
        try await eventually("three ticks more") { destination.ticks >= before + 3 }
        #expect(destination.attempts.count == 1)
        await sample.stop()
    }

    @Test func ticksWhileAnExportHangs() async throws {
        let gate = Gate()
        let destination = TestDestination(gate: gate)
        try sample.deliver(to: destination, timing: .ticking)
        try await sample.append()
        try await eventually("the attempt") { gate.waitingCount == 1 }
        let before = destination.ticks
        try await eventually("three ticks more") { destination.ticks >= before + 3 }
        gate.open()
        await sample.stop()
    }

    @Test func saysHowManySpansWaitAndForHowLongNothingWorked() async throws {
        let gate = Gate()
        let destination = TestDestination(failures: [.retryable("busy", after: .milliseconds(50))], gate: gate)
        try sample.deliver(to: destination, timing: .ticking)
        try await sample.append(spans: 12)
        // What is in flight waits as well: a destination that is down holds it for as long.
        try await eventually("the attempt") { gate.waitingCount == 1 }
        #expect(
            sample.metrics.render().contains(
                "otelcol_exporter_queue_size{exporter=\"test/a\",pipeline=\"traces\"} 12"))
        gate.open()
        try await eventually("it retries") { sample.gauge("weir_exporter_retrying") > 0 }
        try await eventually("it is taken") { sample.journal.status.usedBytes == 0 }
        await sample.stop()
        #expect(sample.gauge("weir_exporter_retrying") == 0)
        #expect(
            sample.metrics.render().contains(
                "otelcol_exporter_queue_size{exporter=\"test/a\",pipeline=\"traces\"} 0"))
    }
}

extension Delivery.Timing {
    static let ticking = Delivery.Timing(tickInterval: .milliseconds(1), drainTimeout: .seconds(60))
}
