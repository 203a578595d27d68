import Testing

@testable import Weir

@Suite struct SamplingProcessorTests {
    private typealias Fate = SamplingSample.Fate

    private func fates(_ yaml: String, _ spans: [SpanFixture]) throws -> [Fate] {
        var processor = try ProcessorFixture<SamplingProcessor>(yaml).processor
        return try SamplingSample.run(&processor, on: spans)
    }

    private func span(_ name: String = "x", randomness: UInt64 = 0xFF_FFFF_FFFF_FFFF, _ traceState: String = "")
        -> SpanFixture
    {
        var span = SpanFixture()
        span.name = name
        span.traceID.low = randomness
        span.traceState = traceState
        return span
    }

    @Test func theFirstRuleThatIsForASpanDecides() throws {
        let yaml = """
            rules:
              - { name: none, when: 'name == "a"', probability: 0 }
              - { name: all, when: 'name in ["a", "b"]', probability: 1 }
              - { name: half, when: 'name == "c"', probability: 0.5 }
            """
        let fates = try self.fates(yaml, [span("a"), span("b"), span("c"), span("c", randomness: 1), span("d")])
        #expect(
            fates == [
                Fate(isKept: false), Fate(isKept: true, traceState: "ot=th:0", rule: "all", adjustedCount: 1),
                Fate(isKept: true, traceState: "ot=th:8", rule: "half", adjustedCount: 2), Fate(isKept: false),
                Fate(isKept: true),
            ])
    }

    @Test func countsByRuleAndNamesTheRuleOfWhatIsLeftOut() throws {
        let fixture = try ProcessorFixture<SamplingProcessor>(
            "rules: [ { name: all, when: name == \"a\", probability: 1 }, { name: none, when: name == \"b\", probability: 0 } ]"
        )
        var processor = fixture.processor
        var batch = try SpanFixture.batch([span("a"), span("b"), span("b"), span("c"), span("b", "x")])
        processor.process(&batch)
        #expect(batch.sampledOutSpanCount == 3)
        #expect(batch.text(batch.samplingRule(of: batch.spans[1])) == "none")
        let metrics = fixture.metrics.render()
        for (rule, outcome, count) in [("all", "kept", 1), ("none", "sampled_out", 3), ("", "kept", 1)] {
            let labels = "outcome=\"\(outcome)\",processor=\"sampling/test\",rule=\"\(rule)\""
            #expect(metrics.contains("weir_sampling_spans{\(labels)} \(count)"))
        }
        #expect(metrics.contains("weir_sampling_inconsistent_spans{processor=\"sampling/test\"} 1"))
    }

    @Test func aThresholdNeverFalls() throws {
        let yaml = "rules: [ { name: half, probability: 0.5 } ]"
        let fates = try self.fates(
            yaml, [span("x", "ot=th:c"), span("x", "ot=th:4"), span("x", randomness: 0, "ot=rv:80000000000000")])
        #expect(fates.map(\.traceState) == ["ot=th:c", "ot=th:8", "ot=rv:80000000000000;th:8"])
        #expect(fates.map(\.adjustedCount) == [4, 2, 2])
    }

    @Test func aThresholdThatCannotBeIsErased() throws {
        let yaml = "rules: [ { name: half, probability: 0.5 } ]"
        let fates = try self.fates(yaml, [span("x", randomness: 0x80_0000_0000_0000, "a=1,ot=th:c")])
        #expect(fates == [Fate(isKept: true, traceState: "a=1", rule: "half")])
    }

    @Test func aTraceStateThatCannotBeReadIsLeftAlone() throws {
        let yaml = "rules: [ { name: half, probability: 0.5 } ]"
        #expect(
            try fates(yaml, [span("x", "no trace state")])
                == [Fate(isKept: true, traceState: "no trace state", rule: "half", adjustedCount: 2)])
    }

    @Test func keepsSessionsWhole() throws {
        var random = SplitMix64(seed: 3)
        var spans: [SpanFixture] = []
        var sessions: [String] = []
        for session in 0..<4_000 {
            for _ in 0..<5 {
                var span = SpanFixture(("session.id", .string("session \(session)")))
                span.traceID = (random.next(), random.next())
                spans.append(span)
                sessions.append("session \(session)")
            }
        }
        let yaml = "rules: [ { name: ui, probability: 0.2, key: session.id } ]"
        let fates = try self.fates(yaml, spans)
        var bySession: [String: Set<Bool>] = [:]
        for (session, fate) in zip(sessions, fates) { bySession[session, default: []].insert(fate.isKept) }
        #expect(bySession.values.allSatisfy { $0.count == 1 })
        let kept = bySession.values.count { $0 == [true] }
        // 800, and a standard deviation of 25.
        #expect((700...900).contains(kept), "\(kept)")
        // No threshold: the session was chosen, not the trace.
        let survivor = fates.first { $0.isKept }
        let first = try #require(survivor)
        #expect(first.traceState == "" && first.adjustedCount == SamplingThreshold(probability: 0.2).adjustedCount)
        let estimate = fates.compactMap(\.adjustedCount).reduce(0, +)
        #expect(abs(estimate - 20_000) < 2_500, "\(estimate)")
        // Another seed makes another choice, and the same seed the same.
        #expect(try self.fates(yaml, spans) == fates)
        #expect(try self.fates(yaml + "\nhash_seed: 1", spans) != fates)
    }

    @Test func takesTheKeyFromTheResourceAndElseTheTraceID() throws {
        let yaml = "rules: [ { name: ui, probability: 0.5, key: session.id } ]"
        var onResource = span(randomness: 0)
        var onSpan = span(randomness: 0)
        for number in 0..<40 {
            onResource.resource = [NewPair(key: "session.id", value: .int(Int64(number)))]
            onSpan.attributes = [NewPair(key: "session.id", value: .int(Int64(number)))]
            let fates = try self.fates(yaml, [onResource, onSpan])
            #expect(fates[0] == fates[1])
        }
        let without = try fates(yaml, [span(), span(randomness: 0)])
        #expect(without.map(\.isKept) == [true, false] && without[0].traceState == "ot=th:8")
    }

    @Test func aSessionsWeightIsMultipliedWithWhatTheThresholdSaid() throws {
        let yaml = "rules: [ { name: ui, probability: 0.5, key: session.id } ]"
        var kept: [Fate] = []
        for number in 0..<64 where kept.isEmpty {
            var span = self.span("x", "a=1,ot=th:c")
            span.attributes = [NewPair(key: "session.id", value: .int(Int64(number)))]
            kept = try fates(yaml, [span]).filter(\.isKept)
        }
        #expect(kept == [Fate(isKept: true, traceState: "a=1", rule: "ui", adjustedCount: 8)])
    }

    @Test func countsAreUnbiasedUnderEveryRule() throws {
        var random = SplitMix64(seed: 29)
        let yaml = """
            rules:
              - { name: a, when: name == "a", probability: 0.05 }
              - { name: b, when: name == "b", probability: 0.3, key: session.id }
              - { name: c, probability: 0.7 }
            """
        var estimates: [String: Double] = [:]
        let made = SamplingSample.spans(30_000, using: &random)
        let sent = made.enumerated().compactMap { index, span -> SpanFixture? in
            var span = span
            span.name = ["a", "b", "c"][index % 3]
            span.attributes = [NewPair(key: "session.id", value: .int(Int64(random.below(1 << 40))))]
            guard index % 2 == 0 else { return span }
            // Some were sampled by half before they came; the other half of those stayed away.
            span.traceState = "ot=th:8"
            return span.traceID.low & SamplingRandomness.mask >= 1 << 55 ? span : nil
        }
        let truth = Dictionary(grouping: sent, by: \.name).mapValues { spans in
            spans.reduce(0.0) { $0 + ($1.traceState == "" ? 1 : 2) }
        }
        for (span, fate) in zip(sent, try fates(yaml, sent)) {
            estimates[span.name, default: 0] += fate.adjustedCount ?? 0
        }
        for (name, probability) in [("a", 0.05), ("b", 0.3), ("c", 0.7)] {
            let expected = truth[name] ?? 0
            let deviation = (2 * expected * (1 - probability) / probability).squareRoot()
            let estimate = estimates[name] ?? 0
            // What came with a threshold is above it already, so of those more are kept than the rule says.
            #expect(abs(estimate - expected) < 5 * deviation, "\(name): \(estimate) of \(expected)")
        }
    }

    @Test func aVerbatimBatchThatNoRuleIsForStaysVerbatim() throws {
        let payload = SpanFixture.request([span("d")])
        var batch = Batch()
        try OTLPDecoder().decode(payload, into: &batch)
        var processor = try ProcessorFixture<SamplingProcessor>(
            "rules: [ { name: a, when: name == \"a\", probability: 0 } ]"
        ).processor
        processor.process(&batch)
        var encoder = OTLPEncoder()
        let encoded = encoder.encode(batch)
        #expect(encoded?.base == payload.base)
    }

    @Test(arguments: [
        ("{}", "1: rules: is missing, wanted a list of 1...64 entries"),
        ("rules: [ { name: a } ]", "1: rules[0].probability: is missing, wanted a number"),
        ("rules: [ { probability: 1 } ]", "1: rules[0].name: is missing, wanted a string"),
        (
            "rules: [ { name: a, probability: 2 } ]",
            "1: rules[0].probability: found \"2\", wanted 0, or a number from 1.4e-17 to 1"
        ),
        (
            "rules: [ { name: a, probability: 1 }, { name: a, probability: 1 } ]",
            "1: rules[1].name: found \"a\" a second time, wanted it once"
        ),
        (
            "rules: [ { name: a, probability: 1, key: '' } ]",
            "1: rules[0].key: found an empty string, wanted an attribute's key"
        ),
        (
            "rules: [ { name: a, probability: 1, when: 'true true' } ]",
            "1: rules[0].when: column 6: found \"true\", wanted \"and\", \"or\" or the end"
        ),
    ])
    func saysWhatIsWrong(yaml: String, problem: String) {
        #expect(ProcessorFixture<SamplingProcessor>.problems(yaml).first == problem)
    }

    @Test func aBurstKeepsWhatARuleWouldNot() throws {
        let bursts = Bursts()
        let now = Timestamp(nanoseconds: SpanFixture().startTime)
        let yaml = "rules: [ { name: ui, when: 'name == \"a\"', probability: 0.5 }, { name: rest, probability: 0 } ]"
        var processor = try ProcessorFixture<SamplingProcessor>(yaml, bursts: bursts).processor
        let spans = [span("a"), span("a", randomness: 0), span("b")]
        #expect(try SamplingSample.run(&processor, on: spans).map(\.isKept) == [true, false, false])
        _ = try bursts.begin(Bursts.Request(rules: ["ui"]), at: now)
        let all = Fate(isKept: true, traceState: "ot=th:0", rule: "ui", adjustedCount: 1)
        // All are kept, so each stands for itself, those too that would have been kept.
        #expect(try SamplingSample.run(&processor, on: spans) == [all, all, Fate(isKept: false)])
        let spent = try #require(bursts.status(at: now).first?.burst?.spent)
        let bytes = SpanFixture.request([span("a", randomness: 0)]).count
        #expect(spent > 0 && spent < bytes)
        _ = bursts.stop(nil)
        #expect(try SamplingSample.run(&processor, on: spans).map(\.isKept) == [true, false, false])
        // The budget is for one more span, and then for none.
        _ = try bursts.begin(Bursts.Request(budget: spent + 1), at: now)
        let some = try SamplingSample.run(&processor, on: spans)
        #expect(some == [all, all, Fate(isKept: false)])
        #expect(bursts.status(at: now).first?.burst == nil)
    }
}
