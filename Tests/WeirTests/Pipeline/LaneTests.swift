import Testing

@testable import Weir

@Suite struct LaneTests {
    /// Samples out the spans whose names begin with `out`.
    private struct Halver: Processor {
        static let type = "halver"
        static let help = "Samples out spans by their names."

        struct Configuration: Configurable {
            init(_ fields: inout Fields) {}
        }

        init() {}

        init(_ configuration: Configuration, _ context: Context) {}

        mutating func process(_ batch: inout Batch) {
            for index in batch.spans.indices where batch.text(batch.spans[index].name).hasPrefix("out") {
                batch.sampleOut(span: index)
            }
        }
    }

    private func batch(_ names: [String]) throws -> Batch {
        try SpanFixture.batch(
            names.map { name in
                var span = SpanFixture()
                span.name = name
                return span
            })
    }

    private func spansOut(of entry: JournalEntry) throws -> Int64? {
        try entry.section.value(of: .sampledOut).map { try Array($0).withUnsafeBytes(SampledOut.spanCount) }
    }

    @Test func whatWasSampledOutGoesIntoTheSection() throws {
        let lane = try PipelineSample(processors: [Halver()]).pipeline.makeLane()
        var some = try batch(["in", "out", "out"])
        let made = try lane.process(&some)
        let entry = try #require(made)
        #expect(entry.spanCount == 1)
        #expect(try spansOut(of: entry) == 2)
        var none = try batch(["in"])
        let whole = try lane.process(&none)
        #expect(whole?.section == RecordSection())
    }

    @Test func aRecordMayHaveASectionAndNoSpan() async throws {
        let sample = try PipelineSample(processors: [Halver()])
        var all = try batch(["out"])
        let made = try sample.pipeline.makeLane().process(&all)
        let entry = try #require(made)
        #expect(entry.spanCount == 0 && entry.payload.count == 0)
        _ = try await sample.pipeline.journal.append(entry)
        let records = await sample.reader.read()
        #expect(records.map(\.spanCount) == [0])
        #expect(records.first?.section == entry.section)
    }

    @Test func whatWasDroppedLeavesNothing() throws {
        let lane = try PipelineSample(processors: [BluntProcessor(refusing: nil)]).pipeline.makeLane()
        var all = try batch(["out"])
        let entry = try lane.process(&all)
        #expect(entry?.spanCount == nil)
    }

    @Test func aSectionThatDoesNotFitIsRefused() throws {
        let lane = try PipelineSample(maxBytes: 16 << 10, processors: [Halver()]).pipeline.makeLane()
        var large = try batch((0..<400).map { "out\($0)" })
        do {
            _ = try lane.process(&large)
            Issue.record("it fits")
        } catch {
            let reason = "what the processors made of the request is over 8KiB, which is all that a record may have"
            #expect(error == .tooLarge(reason))
        }
    }
}
