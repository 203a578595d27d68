import Testing

@testable import Weir

@Suite(.timeLimit(.minutes(1))) struct DeliveryTests {
    @Test func bringsEverythingInOrder() async throws {
        let sample = DeliverySample()
        let destination = TestDestination()
        sample.deliver(to: destination)
        for _ in 1...1_000 { try await sample.append(spans: 2) }
        await sample.stop()
        #expect(destination.taken.flatMap { $0 } == Array(1...1_000))
        #expect(destination.finishes == 1)
        #expect(sample.counter("otelcol_exporter_sent_spans") == 2_000)
        #expect(sample.journal.status.usedBytes == 0)
        #expect(sample.log.lines == [])
    }

    @Test func sendsABatchOnceItHasSoManySpansOrBytes() async throws {
        for (spans, bytes) in [(JournalReader.batchSpans / 2, 1), (1, JournalReader.batchBytes / 2 - 87)] {
            let sample = DeliverySample()
            let destination = TestDestination()
            var timing = Delivery.Timing.quick
            timing.flushInterval = .seconds(3600)
            sample.deliver(to: destination, timing: timing)
            try await sample.append(spans: spans, bytes: bytes)
            try await sample.append(spans: spans, bytes: bytes)
            try await eventually("a full batch is sent") { destination.taken == [[1, 2]] }
            await sample.stop()
        }
    }

    @Test func sendsWhatThereIsWhenTheFlushIntervalIsOver() async throws {
        let sample = DeliverySample()
        let destination = TestDestination()
        sample.deliver(to: destination)
        try await sample.append()
        try await eventually("a small batch is sent") { destination.taken == [[1]] }
        await sample.stop()
    }

    @Test func makesNoBatchLargerThanTheLimit() async throws {
        let sample = DeliverySample()
        let gate = Gate()
        let destination = TestDestination(gate: gate)
        sample.deliver(to: destination)
        for spans in [1, 5_000, 5_000, 9_000, 1_000, 1_000] { try await sample.append(spans: spans) }
        gate.open()
        await sample.stop()
        let taken = destination.taken
        #expect(taken.flatMap { $0 } == [1, 2, 3, 4, 5, 6])
        #expect(!taken.contains { $0.contains(2) && $0.contains(3) || $0.contains(4) && $0.count > 1 })
    }

    @Test func triesTheSameRecordsAgain() async throws {
        let sample = DeliverySample()
        let busy = ExportError.retryable("busy", after: .milliseconds(1))
        let gate = Gate()
        let destination = TestDestination(failures: [busy, busy, busy], gate: gate)
        sample.deliver(to: destination)
        try await sample.append(spans: 3)
        try await eventually("the first attempt") { gate.waitingCount == 1 }
        try await sample.append(spans: 4)
        gate.open()
        await sample.stop()
        #expect(destination.attempts.map(\.sequences) == [[1], [1], [1], [1], [2]])
        #expect(destination.taken == [[1], [2]])
        #expect(sample.counter("otelcol_exporter_sent_spans") == 7)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 0)
        #expect(sample.counter("weir_exporter_failed_attempts") == 3)
        #expect(sample.log.lines.count == 3)
        #expect(sample.log.lines.allSatisfy { $0.hasPrefix("warning: could not deliver reason=busy retry_in=1ms") })
    }

    @Test func doesNotTryAgainBeforeTheTimeThatTheDestinationNamed() async throws {
        let sample = DeliverySample()
        let pause = Duration.milliseconds(100)
        let destination = TestDestination(failures: [.retryable("busy", after: pause)])
        sample.deliver(to: destination)
        try await sample.append()
        try await eventually("the first attempt") { destination.attempts.count == 1 }
        // A batch is full, which is news.
        try await sample.append(spans: JournalReader.batchSpans)
        try await eventually("everything is taken") { destination.taken.count == 2 }
        #expect(destination.attempts[1].at - destination.attempts[0].at >= pause)
        await sample.stop()
    }

    @Test func givesUpWhatCannotBeTakenAndGoesOn() async throws {
        let sample = DeliverySample()
        let gate = Gate()
        let destination = TestDestination(failures: [.rejected("too odd")], gate: gate)
        sample.deliver(to: destination)
        try await sample.append(spans: 3)
        try await eventually("the first attempt") { gate.waitingCount == 1 }
        try await sample.append(spans: 4)
        gate.open()
        await sample.stop()
        #expect(destination.taken == [[2]])
        #expect(sample.counter("otelcol_exporter_sent_spans") == 4)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 3)
        #expect(sample.counter("weir_exporter_failed_attempts") == 1)
        #expect(sample.log.lines == ["error: gave up spans reason=too odd spans=3"])
    }

    @Test func aHangingOrFailingExporterLeavesItsSiblingsAlone() async throws {
        let sample = DeliverySample()
        let gate = Gate()
        let hanging = TestDestination(gate: gate)
        let failing = TestDestination(always: .retryable("down", after: .seconds(3600)))
        let sound = TestDestination()
        var timing = Delivery.Timing.quick
        timing.drainTimeout = .zero
        sample.deliver(to: hanging, "hanging")
        sample.deliver(to: failing, "failing", timing: timing)
        sample.deliver(to: sound, "sound")
        for _ in 1...100 { try await sample.append() }
        try await eventually("the sound one has everything") { sound.taken.flatMap { $0 } == Array(1...100) }
        #expect(hanging.taken == [])
        #expect(failing.taken == [])
        gate.open()
        await sample.stop()
        #expect(hanging.taken.flatMap { $0 } == Array(1...100))
        #expect(failing.taken == [])
        #expect(sample.counter("otelcol_exporter_send_failed_spans", "failing") == 100)
    }

    @Test func refusesNewRecordsOnlyForAnExporterThatMayNotSkip() async throws {
        for policy in FullPolicy.allCases {
            let sample = DeliverySample(maxBytes: 160_000)
            let gate = Gate()
            let hanging = TestDestination(gate: gate)
            let sound = TestDestination()
            sample.deliver(to: hanging, "hanging", onFull: policy)
            sample.deliver(to: sound, "sound")
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
    }

    @Test func emptiesTheJournalBeforeItStops() async throws {
        let sample = DeliverySample()
        let destination = TestDestination()
        var timing = Delivery.Timing.quick
        timing.flushInterval = .seconds(3600)
        sample.deliver(to: destination, timing: timing)
        for _ in 1...10 { try await sample.append() }
        #expect(destination.finishes == 0)
        await sample.stop()
        #expect(destination.taken.flatMap { $0 } == Array(1...10))
        #expect(destination.finishes == 1)
    }

    @Test func saysHowManySpansItLeavesBehind() async throws {
        let sample = DeliverySample()
        let destination = TestDestination(always: .retryable("down", after: .milliseconds(1)))
        var timing = Delivery.Timing.quick
        timing.drainTimeout = .zero
        sample.deliver(to: destination, timing: timing)
        for _ in 1...5 { try await sample.append(spans: 3) }
        await sample.stop()
        #expect(destination.finishes == 1)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 15)
        #expect(
            sample.log.lines.last
                == "error: stopping with spans that were not delivered reason=down spans=15")
    }

    @Test func doesNotWaitOutALongPauseWhenThePipelineStops() async throws {
        let sample = DeliverySample()
        let destination = TestDestination(failures: [.retryable("busy", after: .seconds(3600))])
        sample.deliver(to: destination)
        try await sample.append()
        try await eventually("the first attempt") { destination.attempts.count == 1 }
        await sample.stop()
        #expect(destination.taken == [[1]])
    }

    @Test func hasOneDrainTimeoutForAllBatchesTogether() async throws {
        let sample = DeliverySample()
        let gate = Gate()
        let busy = ExportError.retryable("busy", after: .milliseconds(30))
        let destination = TestDestination(first: busy, gate: gate)
        var timing = Delivery.Timing.quick
        timing.drainTimeout = .milliseconds(200)
        sample.deliver(to: destination, timing: timing)
        for _ in 1...100 { try await sample.append(spans: JournalReader.batchSpans) }
        sample.journal.close()
        gate.open()
        await sample.stop()
        #expect(destination.taken.count < 100)
        #expect(sample.log.lines.last?.hasPrefix("error: stopping with spans that were not delivered") == true)
    }

    @Test func ticksWhileNothingComes() async throws {
        let sample = DeliverySample()
        let destination = TestDestination()
        var timing = Delivery.Timing.quick
        timing.tickInterval = .milliseconds(1)
        sample.deliver(to: destination, timing: timing)
        _ = sample.journal
        try await eventually("three ticks") { destination.ticks >= 3 }
        await sample.stop()
    }

    @Test func ticksWhileItWaitsToTryAgain() async throws {
        let sample = DeliverySample()
        let destination = TestDestination(failures: [.retryable("busy", after: .seconds(3600))])
        var timing = Delivery.Timing.quick
        timing.tickInterval = .milliseconds(1)
        sample.deliver(to: destination, timing: timing)
        try await sample.append()
        try await eventually("the first attempt") { destination.attempts.count == 1 }
        let before = destination.ticks
        try await eventually("three ticks more") { destination.ticks >= before + 3 }
        #expect(destination.attempts.count == 1)
        await sample.stop()
    }

    @Test func ticksWhileItIsBusy() async throws {
        let sample = DeliverySample()
        let destination = TestDestination()
        var timing = Delivery.Timing.quick
        timing.tickInterval = .zero
        sample.deliver(to: destination, timing: timing)
        for _ in 1...3 { try await sample.append(spans: JournalReader.batchSpans) }
        await sample.stop()
        #expect(destination.ticks >= 3)
    }

    @Test func saysHowManySpansWait() async throws {
        let sample = DeliverySample()
        let gate = Gate()
        sample.deliver(to: TestDestination(gate: gate))
        try await sample.append(spans: 12)
        #expect(
            sample.metrics.render().contains(
                "otelcol_exporter_queue_size{exporter=\"test/a\",pipeline=\"traces\"} 12"))
        gate.open()
        await sample.stop()
        #expect(
            sample.metrics.render().contains(
                "otelcol_exporter_queue_size{exporter=\"test/a\",pipeline=\"traces\"} 0"))
    }
}
