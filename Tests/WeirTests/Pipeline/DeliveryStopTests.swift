import Testing

@testable import Weir

@Suite(.hangLimit) struct DeliveryStopTests {
    private let sample: DeliverySample

    init() throws {
        sample = try DeliverySample()
    }

    @Test func emptiesTheJournalBeforeItStops() async throws {
        let destination = TestDestination()
        try sample.deliver(to: destination, .init(batch: "flush_timeout: 60s"))
        for _ in 1...10 { try await sample.append() }
        #expect(destination.finishes == 0)
        await sample.stop()
        #expect(destination.taken.flatMap { $0 } == Array(1...10))
        #expect(destination.finishes == 1)
    }

    @Test func leavesInTheJournalWhatADestinationThatIsDownDoesNotTake() async throws {
        let destination = TestDestination(always: .retryable("down", after: nil))
        try sample.deliver(to: destination)
        for _ in 1...5 { try await sample.append(spans: 3) }
        try await eventually("it fails") { destination.attempts.count > 2 }
        await sample.stop()
        #expect(destination.finishes == 1)
        #expect(sample.counter("otelcol_exporter_send_failed_spans") == 0)
        #expect(sample.deadLetters() == [])
        #expect(sample.journal.unsettled(0).records == 5)
        #expect(sample.log.lines.last == "info: spans stay in the journal for the next start spans=15")
    }

    @Test func doesNotWaitOutAPauseWhenThePipelineStops() async throws {
        let destination = TestDestination(failures: [.retryable("busy", after: .seconds(3600))])
        try sample.deliver(to: destination)
        try await sample.append()
        try await eventually("the first attempt") { destination.attempts.count == 1 }
        try await eventually("it waits") { !sample.log.lines.isEmpty }
        await sample.stop()
        #expect(destination.taken == [])
        #expect(sample.journal.unsettled(0).records > 0)
    }

    @Test func cancelsWhatIsUnderWayWhenItsTimeIsOver() async throws {
        let destination = HangingDestination()
        var timing = Delivery.Timing.quick
        timing.drainTimeout = .milliseconds(50)
        try sample.deliver(to: destination, .init("timeout: 0s"), timing: timing)
        try await sample.append()
        try await eventually("it hangs") { destination.hasBegun }
        await sample.stop()
        #expect(destination.wasCancelled)
        #expect(sample.journal.unsettled(0).records > 0)
    }

    @Test func commitsWhatTheExporterSettlesAtTheEnd() async throws {
        let destination = LateDestination()
        try sample.deliver(to: destination, timing: .ticking)
        for _ in 1...5 { try await sample.append(spans: 2) }
        try await eventually("everything is exported") { destination.exported == 5 }
        #expect(sample.counter("otelcol_exporter_sent_spans") == 0)
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 0)
        #expect(sample.counter("otelcol_exporter_sent_spans") == 10)
    }

    @Test func keepsInTheJournalWhatTheExporterHasNotSettled() async throws {
        let destination = LateDestination(settlesAtTheEnd: false)
        try sample.deliver(to: destination, timing: .ticking)
        for _ in 1...5 { try await sample.append(spans: 2) }
        try await eventually("everything is exported") { destination.exported == 5 }
        destination.settle(through: 3)
        try await eventually("what is settled is committed") { sample.counter("otelcol_exporter_sent_spans") == 6 }
        await sample.stop()
        #expect(sample.journal.unsettled(0).records == 2)
    }
}
