import Testing

@testable import Weir

/// Traces as they should not be, incidents and replicas, between two real journals.
@Suite struct TailSamplingTracesTests {
    private static let quick = "decision_wait: 500ms\ndecision_wait_after_root_received: 10ms"
    private static let errors = "{ name: errors, type: status_code, status_code: { status_codes: [ERROR] } }"

    /// What is read of a span that went on.
    private struct Found: Equatable {
        let id: UInt64
        let rule: String
        let traceState: String
    }

    private func sample(
        _ policies: String, _ further: String = quick, _ directory: TemporaryDirectory? = nil, maxBytes: Int = 1 << 20,
        board: KeepDecisionBoard = KeepDecisionBoard()
    ) throws -> StageSample {
        let sample = try StageSample(
            try TailSamplingConfiguration(policies: policies, further), on: SimulatedDisk(seed: 1),
            directory: try (directory ?? TemporaryDirectory()).path, maxBytes: maxBytes, board: board)
        sample.start()
        return sample
    }

    private func span(_ trace: UInt64, _ id: UInt64, change: (inout SpanFixture) -> Void = { _ in }) -> SpanFixture {
        var span = SpanFixture()
        span.traceID = (1, trace)
        span.spanID = id
        change(&span)
        return span
    }

    private func found(_ records: [JournalRecord]) throws -> [Found] {
        var found: [Found] = []
        for record in records {
            var batch = Batch()
            try OTLPDecoder().decode(record.payload, into: &batch)
            for span in batch.spans {
                var rule = ""
                if case .string(let text)? = batch.value(of: Batch.samplingRule, in: span.attributes) {
                    rule = String(decoding: text, as: UTF8.self)
                }
                found.append(Found(id: span.spanID, rule: rule, traceState: batch.text(span.traceState)))
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    private func decided(_ sample: StageSample) async throws {
        try await eventually("all is decided and gone on") {
            sample.first.unsettled(0) == Load() && sample.waitingRecords == 0
        }
    }

    private func finish(_ sample: StageSample) async throws -> [Found] {
        try await decided(sample)
        await sample.stop()
        return try found(await sample.take())
    }

    @Test func whatIsSentTwiceIsDecidedOnceAndGoesOnAsItCame() async throws {
        let sample = try sample(Self.errors)
        let good = [span(1, 1) { $0.parentSpanID = 9 }, span(1, 2) { $0.status = 2 }]
        for spans in [good, [span(2, 3)], good, [span(2, 3)]] { #expect(await sample.append(spans)) }
        try await decided(sample)
        // Once more when all is over.
        #expect(await sample.append(good + [span(2, 3)]))
        #expect(try await finish(sample).map(\.id) == [1, 1, 1, 2, 2, 2])
        let names = [("true", "errors"), ("false", "")]
        for (sampled, policy) in names {
            let labels = ["processor": "tail_sampling", "sampled": sampled, "policy": policy, "cause": "root_ended"]
            #expect(sample.metrics.counter("weir_tail_sampling_traces", help: "", labels: labels).value == 1)
        }
    }

    @Test func aTraceOfAHundredThousandSpansDelaysNobodyAndGoesOneWay() async throws {
        let sample = try sample(
            "\(Self.errors), { name: giants, type: span_count, span_count: { min_spans: 10000 } }",
            "decision_wait: 1h\ndecision_wait_after_root_received: 10ms\ncopy_forward_after: 1h", maxBytes: 256 << 20)
        for part in 0..<100 as Range<UInt64> {
            var spans = (0..<1_000 as Range<UInt64>).map { number in
                span(1, 1_000 * part + number + 1) { $0.parentSpanID = 9 }
            }
            // An ordinary one with each part.
            spans.append(span(2 + part, 1_000_000 + part) { $0.status = part.isMultiple(of: 2) ? 2 : 0 })
            #expect(await sample.append(spans))
        }
        let found = try await finish(sample)
        #expect(found.count { $0.rule == "giants" } == 100_000)
        #expect(Set(found.map(\.id)).count == 100_050)
        #expect(found.count { $0.rule == "errors" } == 50)
        #expect(found.allSatisfy { $0.traceState == "ot=th:0" })
    }

    @Test func clocksOfSendersDoNotMatterToWhenATraceIsDecided() async throws {
        let sample = try sample(
            "{ name: slow, type: latency, latency: { threshold_ms: 1000 } }",
            "decision_wait: 500ms\ndecision_wait_after_root_received: 0s\nidle_timeout: 100ms")
        #expect(
            await sample.append([
                // From the beginning of time to its end, and from its end to its beginning.
                span(1, 1) { ($0.startTime, $0.endTime) = (0, .max) },
                span(2, 2) { ($0.startTime, $0.endTime) = (.max, 0) },
                // A child that seems to have ended before its parent began.
                span(3, 3) { ($0.startTime, $0.endTime) = (5_000_000_000, 5_100_000_000) },
                span(3, 4) { ($0.startTime, $0.endTime, $0.parentSpanID) = (1_000_000_000, 1_100_000_000, 3) },
            ]))
        #expect(try await finish(sample).map(\.id) == [1, 3, 4])
    }

    @Test func aBurstKeepsEverythingAndCallsBackWhatWasLeftOutJustBefore() async throws {
        let directory = try TemporaryDirectory()
        let sample = try sample(
            Self.errors, "\(Self.quick)\nrecall: { directory: \"\(directory.path)/recall\", max_bytes: 16MiB }",
            directory)
        #expect(await sample.append([span(1, 1), span(1, 2), span(2, 3) { $0.status = 2 }]))
        try await eventually("it is in the ring") { sample.recalled == 2 }
        #expect(try found(await sample.take()).map(\.id) == [3])
        _ = try sample.bursts.begin(Bursts.Request(processor: "tail_sampling", reason: "incident 7"), at: .now())
        try await eventually("what was left out is called back") { sample.second.unsettled(0).spans == 2 }
        let called = try found(await sample.take())
        #expect(called == [1, 2].map { Found(id: $0, rule: "promoted", traceState: "") })
        #expect(await sample.append([span(4, 4), span(5, 5) { $0.status = 2 }]))
        try await decided(sample)
        #expect(
            try found(await sample.take()) == [
                Found(id: 4, rule: "burst", traceState: "ot=th:0"), Found(id: 5, rule: "errors", traceState: "ot=th:0"),
            ])
        #expect(sample.bursts.stop(nil) == 1)
        #expect(await sample.append([span(6, 6)]))
        #expect(try await finish(sample).isEmpty)
    }

    @Test func aBurstKeepsATraceOfTooManySpansToo() async throws {
        let sample = try sample(Self.errors, "\(Self.quick)\nmax_spans_per_trace: 5")
        _ = try sample.bursts.begin(Bursts.Request(), at: .now())
        #expect(await sample.append((1...8).map { span(1, $0) }))
        #expect(try await finish(sample).map(\.rule) == Array(repeating: "burst", count: 8))
    }

    @Test func aBurstForSomePoliciesLeavesTheOthersAlone() async throws {
        let sample = try sample(
            """
            { name: some, type: and, and: { and_sub_policy: [
              { name: e, type: status_code, status_code: { status_codes: [ERROR] } },
              { name: none, type: probabilistic, probabilistic: { sampling_percentage: 1 } } ] } }
            """)
        _ = try sample.bursts.begin(Bursts.Request(rules: ["some"]), at: .now())
        // Neither has the randomness to be kept; the second is none that the policy could keep.
        #expect(await sample.append([span(1, 1) { $0.status = 2 }, span(2, 2)]))
        #expect(try await finish(sample) == [Found(id: 1, rule: "burst", traceState: "ot=th:0")])
    }

    @Test func theBudgetOfABurstIsNotExceeded() async throws {
        let sample = try sample(Self.errors)
        _ = try sample.bursts.begin(Bursts.Request(budget: 1_000), at: .now())
        for number in 1...20 as ClosedRange<UInt64> { #expect(await sample.append([span(number, number)])) }
        let kept = try await finish(sample).count
        #expect((1..<20).contains(kept), "\(kept)")
    }

    @Test func aTraceThatAnotherReplicaKeepsIsKeptHereToo() async throws {
        let board = KeepDecisionBoard()
        let directories = try [TemporaryDirectory(), TemporaryDirectory()]
        let shared = """
            share_decisions: true
            decision_wait_after_root_received: 10ms
            copy_forward_after: 1h
            """
        let here = try sample(
            Self.errors,
            "\(shared)\ndecision_wait: 1h\nrecall: { directory: \"\(directories[0].path)/recall\", max_bytes: 16MiB }",
            directories[0], board: board)
        let there = try sample(Self.errors, "\(shared)\ndecision_wait: 500ms", directories[1], board: board)
        // One has been left out here, and one is open.
        #expect(await here.append([span(2, 2)]))
        try await eventually("the second is in the ring") { here.recalled == 1 }
        #expect(await here.append([span(1, 1) { $0.parentSpanID = 9 }]))
        try await eventually("the first waits") { here.waitingRecords == 1 }
        #expect(
            await there.append([
                span(1, 11) { $0.status = 2 }, span(2, 12) { ($0.status, $0.parentSpanID) = (2, 2) },
                span(3, 13) { $0.status = 2 }, span(4, 14),
            ]))
        try await eventually("both are kept") { here.second.unsettled(0).spans == 2 }
        let kept = try found(await here.take())
        let marks = (rule: "errors", traceState: "ot=th:0")
        #expect(kept.map(\.id).sorted() == [1, 2])
        #expect(kept.allSatisfy { $0.rule == marks.rule && $0.traceState == marks.traceState })
        // What comes later goes the same way; one of which only the other has heard so far, too.
        #expect(await here.append([span(1, 4), span(2, 5), span(3, 6), span(4, 7)]))
        #expect(try await finish(here).map(\.id) == [4, 5, 6])
        #expect(try await finish(there).map(\.id) == [11, 12, 13])
    }
}
