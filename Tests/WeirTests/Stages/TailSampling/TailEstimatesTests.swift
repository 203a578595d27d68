import Testing

@testable import Weir

/// What kept traces say of all traces, under every policy and limiter: counts and costs are right but for chance.
@Suite struct TailEstimatesTests {
    private struct Trace {
        let spans: Int
        /// In USD.
        let cost: Double
    }

    /// What was kept, each counted for as many as it stands for.
    private struct Estimate {
        var value = 0.0
        /// Of the value: the sum of x²(1 - p)/p² over what was kept.
        var variance = 0.0
        var truth = 0.0

        mutating func add(_ amount: Double, _ decision: TraceDecision) {
            truth += amount
            guard decision.isKept else { return }
            let probability = decision.threshold.probability
            value += amount / probability
            variance += amount * amount * (1 - probability) / (probability * probability)
        }

        var isWithinChance: Bool { abs(value - truth) <= 4 * variance.squareRoot() + 1e-6 * truth }
    }

    /// In each of them every trace may be kept, or its estimate would have to miss some.
    private static let policies = [
        "always": "{ name: a, type: always_sample }",
        "probabilistic": "{ name: a, type: probabilistic, probabilistic: { sampling_percentage: 20 } }",
        "latency": """
        { name: a, type: latency, latency: { threshold_ms: 700 } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "numeric_attribute": """
        { name: a, type: numeric_attribute, numeric_attribute: { key: n, min_value: 80, max_value: 99 } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "string_attribute": """
        { name: a, type: string_attribute,
              string_attribute: { key: route, values: ["^/[ab]"], enabled_regex_matching: true } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "boolean_attribute": """
        { name: a, type: boolean_attribute, boolean_attribute: { key: flag, value: true } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "status_code": """
        { name: a, type: status_code, status_code: { status_codes: [ERROR] } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "span_count": """
        { name: a, type: span_count, span_count: { min_spans: 4 } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "trace_state": """
        { name: a, type: trace_state, trace_state: { key: vendor, values: [gold] } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "condition": """
        { name: a, type: condition, condition: { span: ['status == error and attributes["n"] > 50'] } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "not": """
        { name: a, type: not, not: { not_sub_policy:
            { name: b, type: status_code, status_code: { status_codes: [UNSET, OK] } } } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "and": """
        { name: a, type: and, and: { and_sub_policy: [
            { name: b, type: status_code, status_code: { status_codes: [ERROR] } },
            { name: c, type: probabilistic, probabilistic: { sampling_percentage: 50 } } ] } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "cost": "{ name: a, type: cost, cost: { full_usd: 0.4, floor_percentage: 5 } }",
        "cost and errors": """
        { name: a, type: status_code, status_code: { status_codes: [ERROR] } },
        { name: b, type: cost, cost: { full_usd: 0.4, floor_percentage: 5 } }
        """,
        "rate_limiting": "{ name: a, type: rate_limiting, rate_limiting: { spans_per_second: 100 } }",
        "bytes_limiting": "{ name: a, type: bytes_limiting, bytes_limiting: { bytes_per_second: 20000 } }",
        "limiters beside others": """
        { name: a, type: status_code, status_code: { status_codes: [ERROR] } },
        { name: b, type: cost, cost: { full_usd: 0.8, floor_percentage: 0 } },
        { name: c, type: rate_limiting, rate_limiting: { spans_per_second: 60 } },
        { name: d, type: bytes_limiting, bytes_limiting: { bytes_per_second: 9000 } }
        """,
        "a limiter of some beside chance": """
        { name: a, type: and, and: { and_sub_policy: [
            { name: b, type: status_code, status_code: { status_codes: [ERROR] } },
            { name: c, type: rate_limiting, rate_limiting: { spans_per_second: 40 } } ] } },
        { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
        """,
        "composite": """
        { name: a, type: composite, composite: { max_total_spans_per_second: 150, policy_order: [errors, rest],
          composite_sub_policy: [ { name: rest, type: always_sample },
            { name: errors, type: status_code, status_code: { status_codes: [ERROR] } } ],
          rate_allocation: [ { policy: errors, percent: 60 }, { policy: rest, percent: 40 } ] } }
        """,
    ]

    @Test(arguments: policies.keys.sorted())
    func spansAndCostsAreCountedTrue(policy: String) throws {
        let configuration = try TailSamplingConfiguration(
            policies: try #require(Self.policies[policy]),
            "decision_wait: 1s\ndecision_wait_after_root_received: 100ms"
        )
        var window = TraceWindow(
            configuration.window, configuration.policies, keptDecisions: 100_000, droppedDecisions: 100_000)
        var intake = TailSamplingIntake(configuration.tests)
        var random = SplitMix64(seed: 6)
        var traces: [TraceID: Trace] = [:]
        var (spans, costs, counts) = (Estimate(), Estimate(), Estimate())
        var kept = 0
        var now = Timestamp(nanoseconds: 1_000_000_000_000)
        func settle() throws {
            window.decide(at: now)
            for decided in window.takeDecided() {
                let trace = try #require(traces[decided.trace.id])
                traces[decided.trace.id] = nil
                #expect(decided.spans == trace.spans)
                spans.add(Double(trace.spans), decided.decision)
                costs.add(trace.cost, decided.decision)
                counts.add(1, decided.decision)
                if decided.decision.isKept { kept += 1 }
            }
            while window.readyRecords(at: now, limit: 1) > 0 { window.removeFirst() }
        }
        for number in 1...400 as ClosedRange<UInt64> {
            var body: [SpanFixture] = []
            for _ in 0..<10 {
                let (trace, made) = Self.trace(&random)
                traces[TraceID(high: made[0].traceID.high, low: made[0].traceID.low)] = trace
                body += made
            }
            // In no order.
            body.shuffle(using: &random)
            window.begin(record: number, of: "t", spans: body.count, at: now)
            _ = try intake.add(
                JournalRecord(
                    sequence: number, tenant: "t", receivedAt: now, spanCount: body.count,
                    payload: SpanFixture.request(body)), to: &window, firstSeen: now, isKnown: false, at: now)
            now = now.advanced(by: 100_000_000)
            try settle()
        }
        for _ in 0..<30 {
            now = now.advanced(by: 100_000_000)
            try settle()
        }
        #expect(traces.isEmpty)
        #expect(spans.isWithinChance, "\(spans)")
        #expect(costs.isWithinChance, "\(costs)")
        #expect(counts.isWithinChance, "\(counts)")
        #expect(policy == "always" ? kept == 4_000 : (200..<3_000).contains(kept), "\(kept)")
    }

    private static func trace(_ random: inout SplitMix64) -> (Trace, [SpanFixture]) {
        let id = (high: random.next(), low: random.next())
        let count = 1 + random.below(5)
        // Most cost little, few much.
        let cost = random.chance(5) ? 1_000 + random.below(2_000) : random.below(100)
        let spans = (0..<count).map { index in
            var span = SpanFixture()
            span.traceID = id
            span.spanID = random.next() | 1
            span.parentSpanID = index == 0 ? 0 : 7
            span.status = random.chance(8) ? 2 : 0
            span.endTime = span.startTime + UInt64(random.below(800)) * 1_000_000
            span.traceState = random.chance(5) ? "vendor=gold" : ""
            span.attributes = [
                NewPair(key: "n", value: .int(Int64(random.below(1_000)))),
                NewPair(key: "route", value: .string("/\(random.pick(["a", "c", "d", "e", "f", "g", "h", "i"]))")),
                NewPair(key: "flag", value: .bool(random.chance(5))),
            ]
            if index == count - 1 {
                let text = Cost.text(Int64(cost) * 1_000_000_000)
                span.attributes.append(NewPair(key: "weir.cost.total", value: .string(text)))
            }
            return span
        }
        return (Trace(spans: count, cost: Double(cost) / 1_000), spans)
    }

    /// What `drop` takes is none of the rest, which is counted as without it.
    @Test func dropTakesWhatMatchesAndLeavesTheRestCountedTrue() throws {
        let configuration = try TailSamplingConfiguration(
            policies: """
                { name: a, type: drop, drop: { drop_sub_policy: [
                    { name: b, type: boolean_attribute, boolean_attribute: { key: flag, value: true } } ] } },
                { name: rest, type: probabilistic, probabilistic: { sampling_percentage: 25 } }
                """)
        var intake = TailSamplingIntake(configuration.tests)
        var random = SplitMix64(seed: 8)
        var rest = Estimate()
        for number in 1...2_000 as ClosedRange<UInt64> {
            let (trace, spans) = Self.trace(&random)
            var window = TraceWindow(
                configuration.window, configuration.policies, keptDecisions: 10, droppedDecisions: 10)
            let now = Timestamp(nanoseconds: 1)
            window.begin(record: number, of: "t", at: now)
            _ = try intake.add(
                JournalRecord(
                    sequence: number, tenant: "t", receivedAt: now, spanCount: spans.count,
                    payload: SpanFixture.request(spans)), to: &window, firstSeen: now, isKnown: false, at: now)
            window.decide(at: Timestamp(nanoseconds: 60_000_000_000))
            let decided = window.takeDecided()
            let decision = try #require(decided.first).decision
            if spans.contains(where: { $0.attributes.contains { $0.key == "flag" && $0.value == .bool(true) } }) {
                #expect(!decision.isKept && decision.threshold == .never && window.names[decision.rule] == "a")
            } else {
                rest.add(Double(trace.spans), decision)
            }
        }
        #expect(rest.isWithinChance, "\(rest)")
    }
}
