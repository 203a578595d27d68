import Testing

@testable import Weir

@Suite(.hangLimit) struct PipelineTests {
    private let entry = JournalEntry(
        tenant: "", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1, payload: .zeros(16))

    @Test func whoComesBetweenTwoJournalsWaitsForTheNext() async throws {
        let (old, next) = (try PipelineSample(), try PipelineSample())
        old.pipeline.awaitSuccessor()
        old.pipeline.journal.close(forAnother: true)
        #expect(old.pipeline.refusal(of: entry) == nil)
        async let first = old.pipeline.append(entry)
        async let second = old.pipeline.append(entry)
        old.pipeline.handOver(to: next.pipeline)
        #expect(try await [first, second] == [.kept, .kept])
        #expect(try await old.pipeline.append(entry) == .kept, "and who comes late")
        #expect(await next.taken() == [1, 1, 1])
    }

    /// A receiver holds the pipeline that it began with for as long as it runs.
    @Test func whoeverHoldsTheFirstDoesNotHoldThoseAfterIt() async throws {
        let first = try PipelineSample()
        var second: PipelineSample? = try PipelineSample()
        let third = try PipelineSample()
        weak let middle = second?.pipeline
        for (old, next) in [(first, second), (second, third)] as [(PipelineSample?, PipelineSample?)] {
            old?.pipeline.awaitSuccessor()
            old?.pipeline.journal.close(forAnother: true)
            old?.pipeline.handOver(to: next?.pipeline)
        }
        second = nil
        #expect(middle == nil)
        #expect(try await first.pipeline.append(entry) == .kept)
        #expect(await third.taken() == [1])
    }

    @Test func withoutASuccessorThePipelineStops() async throws {
        let sample = try PipelineSample()
        sample.pipeline.awaitSuccessor()
        sample.pipeline.journal.close(forAnother: true)
        let waiting = Task { [entry] in try await sample.pipeline.append(entry) }
        sample.pipeline.handOver(to: nil)
        await #expect(throws: Refusal.stopping) { try await waiting.value }
        let other = try PipelineSample()
        other.pipeline.journal.close()
        await #expect(throws: Refusal.stopping) { try await other.pipeline.append(entry) }
        #expect(other.pipeline.refusal(of: entry) == .stopping)
    }

    @Test func aJournalThatIsHandedOverGivesNothingMore() async throws {
        let sample = try PipelineSample()
        _ = try await sample.pipeline.append(entry)
        #expect(sample.reader.waiting.spans == 1)
        sample.pipeline.journal.close(forAnother: true)
        let waiting = sample.reader.waiting
        #expect(waiting.isClosed && waiting.isHandedOver)
        #expect((waiting.spans, waiting.bytes) == (0, 0))
        #expect(sample.reader.unsettledSpans == 1, "what waits is for the next journal")
    }
}
