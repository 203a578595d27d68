import Testing

@testable import Weir

/// The policies as a file describes them, on traces as they come in.
@Suite struct TailPoliciesTests {
    /// The threshold with which a trace of these spans is compared, without limiters: `always` is kept for sure.
    private func threshold(
        _ policies: String, _ spans: [SpanFixture], at location: SourceLocation = #_sourceLocation
    ) throws -> SamplingThreshold {
        let configuration = try TailSamplingConfiguration(policies: policies)
        let summary = try summary(of: spans, configuration)
        guard case .decided(let threshold, _, _) = configuration.policies.verdict(on: summary) else {
            Issue.record("found a limiter", sourceLocation: location)
            return .never
        }
        return threshold
    }

    private func summary(of spans: [SpanFixture], _ configuration: TailSamplingConfiguration) throws -> TraceSummary {
        var window = TraceWindow(
            configuration.window, configuration.policies, keptDecisions: 10, droppedDecisions: 10)
        var intake = TailSamplingIntake(configuration.tests)
        let record = JournalRecord(
            sequence: 1, tenant: "t", receivedAt: Timestamp(nanoseconds: 1), spanCount: spans.count,
            payload: SpanFixture.request(spans))
        let now = Timestamp(nanoseconds: 1)
        window.begin(record: 1, of: "t", at: now)
        _ = try intake.add(record, to: &window, firstSeen: now, isKnown: false, at: now)
        return window.slots[0].summary
    }

    private func span(
        _ attributes: (String, NewValue)..., status: UInt64 = 0, milliseconds: UInt64 = 1, state: String = "",
        change: (inout SpanFixture) -> Void = { _ in }
    ) -> SpanFixture {
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        span.status = status
        span.endTime = span.startTime + milliseconds * 1_000_000
        span.traceState = state
        change(&span)
        return span
    }

    @Test func alwaysKeepsEverything() throws {
        #expect(try threshold("{ name: a, type: always_sample }", [span()]) == .always)
    }

    @Test func latencyCountsFromTheFirstStartToTheLastEnd() throws {
        let policy = "{ name: a, type: latency, latency: { threshold_ms: 100, upper_threshold_ms: 200 } }"
        let late = span(milliseconds: 1) { span in
            span.startTime += 99_000_000
            span.endTime = span.startTime + 1_000_000
        }
        #expect(try threshold(policy, [span(), late]) == .always)
        #expect(try threshold(policy, [span()]) == .never)
        #expect(try threshold(policy, [span(milliseconds: 201)]) == .never)
        // An end before the start, because of two clocks.
        let skewed = span { $0.endTime = $0.startTime - 500_000_000 }
        #expect(try threshold(policy, [skewed]) == .never)
    }

    @Test func attributesOfSpansAndResourcesMatch() throws {
        let number = "{ name: a, type: numeric_attribute, numeric_attribute: { key: n, min_value: 5, max_value: 9 } }"
        #expect(try threshold(number, [span(), span(("n", .int(9)))]) == .always)
        #expect(try threshold(number, [span(("n", .int(4)), ("m", .int(6)))]) == .never)
        let text = "{ name: a, type: string_attribute, string_attribute: { key: service.name, values: [shop, bank] } }"
        #expect(try threshold(text, [span()]) == .always)
        let expression = """
            { name: a, type: string_attribute,
              string_attribute: { key: route, values: ["^/api/"], enabled_regex_matching: true } }
            """
        #expect(try threshold(expression, [span(("route", .string("/api/x")))]) == .always)
        #expect(try threshold(expression, [span(("route", .string("/web/api/x")))]) == .never)
        let bool = "{ name: a, type: boolean_attribute, boolean_attribute: { key: b, value: true } }"
        #expect(try threshold(bool, [span(("b", .bool(true)))]) == .always)
        #expect(try threshold(bool, [span(("b", .bool(false)))]) == .never)
        let other = """
            { name: a, type: string_attribute, string_attribute: { key: route, values: [x], invert_match: true } }
            """
        #expect(try threshold(other, [span(("route", .string("y")))]) == .always)
        #expect(try threshold(other, [span(("route", .string("y"))), span(("route", .string("x")))]) == .never)
    }

    @Test func statusTraceStateAndSpanCountMatch() throws {
        let status = "{ name: a, type: status_code, status_code: { status_codes: [ERROR, OK] } }"
        #expect(try threshold(status, [span(), span(status: 2)]) == .always)
        #expect(try threshold(status, [span()]) == .never)
        let state = "{ name: a, type: trace_state, trace_state: { key: vendor, values: [x, y] } }"
        #expect(try threshold(state, [span(state: "a=1, vendor=y ,b=2")]) == .always)
        #expect(try threshold(state, [span(state: "vendor2=y,vendor=z")]) == .never)
        let count = "{ name: a, type: span_count, span_count: { min_spans: 2, max_spans: 3 } }"
        #expect(try threshold(count, [span()]) == .never)
        #expect(try threshold(count, [span(), span()]) == .always)
        #expect(try threshold(count, [span(), span(), span(), span()]) == .never)
    }

    @Test func conditionsHaveTheLanguageOfFilter() throws {
        let policy = "{ name: a, type: condition, condition: { span: ['kind == server and attributes[\"x\"] > 3'] } }"
        #expect(try threshold(policy, [span(("x", .int(4)))]) == .always)
        #expect(try threshold(policy, [span(("x", .int(3)))]) == .never)
    }

    @Test func chanceIsTheSpecificationsThreshold() throws {
        func chance(_ percentage: String) throws -> SamplingThreshold {
            try threshold(
                "{ name: a, type: probabilistic, probabilistic: { sampling_percentage: \(percentage) } }", [span()])
        }
        #expect(try chance("50") == SamplingThreshold(rejecting: 1 << 55))
        #expect(try chance("100") == .always)
        #expect(try chance("0") == .never)
    }

    @Test func costKeepsInProportionWithAFloor() throws {
        let policy = "{ name: a, type: cost, cost: { full_usd: 0.2, floor_percentage: 10 } }"
        func probability(_ costs: String...) throws -> Double {
            let spans = costs.map { span(("weir.cost.total", .string($0))) }
            return try threshold(policy, spans).probability
        }
        #expect(try abs(probability("0.05", "0.05") - 0.5) < 1e-4)
        #expect(try probability("0.15", "0.05") == 1)
        #expect(try abs(probability("0.001") - 0.1) < 1e-4)
        #expect(try abs(threshold(policy, [span()]).probability - 0.1) < 1e-4)
        #expect(try abs(probability("unknown") - 0.1) < 1e-4)
    }

    @Test func theLowestThresholdOfAllPoliciesHolds() throws {
        let policies = """
            { name: half, type: probabilistic, probabilistic: { sampling_percentage: 50 } },
            { name: errors, type: status_code, status_code: { status_codes: [ERROR] } },
            { name: quarter, type: probabilistic, probabilistic: { sampling_percentage: 25 } }
            """
        #expect(try threshold(policies, [span()]) == SamplingThreshold(rejecting: 1 << 55))
        #expect(try threshold(policies, [span(status: 2)]) == .always)
        let configuration = try TailSamplingConfiguration(policies: policies)
        let error = try summary(of: [span(status: 2)], configuration)
        #expect(configuration.policies.verdict(on: error) == .decided(.always, isKept: true, policy: 1))
    }

    @Test func andWantsAllNotWantsTheOppositeAndDropGoesFirst() throws {
        let policies = """
            { name: a, type: and, and: { and_sub_policy: [
                { name: s, type: status_code, status_code: { status_codes: [ERROR] } },
                { name: h, type: probabilistic, probabilistic: { sampling_percentage: 50 } },
                { name: n, type: not, not: { not_sub_policy:
                    { name: b, type: boolean_attribute, boolean_attribute: { key: noise } } } } ] } },
            { name: d, type: drop, drop: { drop_sub_policy: [
                { name: r, type: string_attribute, string_attribute: { key: route, values: [/health] } } ] } }
            """
        #expect(try threshold(policies, [span()]) == .never)
        #expect(try threshold(policies, [span(status: 2)]) == SamplingThreshold(rejecting: 1 << 55))
        #expect(try threshold(policies, [span(("noise", .bool(true)), status: 2)]) == .never)
        let configuration = try TailSamplingConfiguration(policies: policies)
        let dropped = try summary(of: [span(("route", .string("/health")), status: 2)], configuration)
        #expect(configuration.policies.verdict(on: dropped) == .decided(.never, isKept: false, policy: 1))
    }

    @Test func aTraceThatIsKeptForSureIsNotHeldAgainstALimiter() throws {
        let policies = """
            { name: errors, type: status_code, status_code: { status_codes: [ERROR] } },
            { name: few, type: rate_limiting, rate_limiting: { spans_per_second: 1 } }
            """
        let configuration = try TailSamplingConfiguration(policies: policies)
        let error = try summary(of: [span(status: 2)], configuration)
        let plain = try summary(of: [span()], configuration)
        #expect(configuration.policies.verdict(on: error) == .decided(.always, isKept: true, policy: 0))
        #expect(configuration.policies.verdict(on: plain) == .depends([0]))
    }

    @Test func compositeGivesEachPartItsShare() throws {
        let policies = """
            { name: c, type: composite, composite: { max_total_spans_per_second: 100, policy_order: [errors, rest],
              composite_sub_policy: [ { name: rest, type: always_sample },
                { name: errors, type: status_code, status_code: { status_codes: [ERROR] } } ],
              rate_allocation: [ { policy: errors, percent: 80 }, { policy: rest, percent: 20 } ] } }
            """
        let configuration = try TailSamplingConfiguration(policies: policies)
        var made = configuration.policies
        var random = SplitMix64(seed: 11)
        let now = Timestamp(nanoseconds: 1)
        let error = try summary(of: [span(status: 2)], configuration)
        var traces: [TraceSummary] = []
        for index in 0..<400 {
            var trace = TraceSummary(SamplingRandomness(random.next()))
            trace.add(TraceSummary.Span(tests: index.isMultiple(of: 2) ? error.tests : 0))
            guard case .depends(let limiters) = made.verdict(on: trace) else { continue }
            #expect(limiters.count == (index.isMultiple(of: 2) ? 2 : 1))
            made.claim(limiters, for: trace, of: 0, at: now)
            traces.append(trace)
        }
        #expect(traces.count == 400)
        made.close(at: now)
        let kept = traces.filter { made.answer(on: $0, of: 0).isKept }
        #expect(kept.count { $0.tests == error.tests } >= 80)
        // 20 of all, of which about half are errors, and for most of those there was room anyway.
        #expect((3...20).contains(kept.count { $0.tests == 0 }))
    }

    /// Those of which nothing is said share what is left, and the total is the total.
    @Test func compositeNeverGivesMoreThanItsTotal() throws {
        let policies = """
            { name: c, type: composite, composite: { max_total_spans_per_second: 10, policy_order: [a, b],
              composite_sub_policy: [ { name: a, type: status_code, status_code: { status_codes: [ERROR] } },
                { name: b, type: status_code, status_code: { status_codes: [UNSET] } } ],
              rate_allocation: [ { policy: a, percent: 80 } ] } }
            """
        let configuration = try TailSamplingConfiguration(policies: policies)
        var made = configuration.policies
        var random = SplitMix64(seed: 12)
        let now = Timestamp(nanoseconds: 1)
        let error = try summary(of: [span(status: 2)], configuration).tests
        let plain = try summary(of: [span()], configuration).tests
        var traces: [TraceSummary] = []
        for index in 0..<400 {
            var trace = TraceSummary(SamplingRandomness(random.next()))
            trace.add(TraceSummary.Span(tests: index.isMultiple(of: 2) ? error : plain))
            guard case .depends(let limiters) = made.verdict(on: trace) else { continue }
            made.claim(limiters, for: trace, of: 0, at: now)
            traces.append(trace)
        }
        made.close(at: now)
        #expect(traces.count == 400)
        #expect(traces.filter { made.answer(on: $0, of: 0).isKept }.count == 10)
    }

    @Test(arguments: [
        ("name: '', type: always_sample", "name: found 0 bytes, wanted 1 to 64"),
        (
            "name: promoted, type: always_sample",
            "found \"promoted\", wanted another name: spans have that one which no policy has kept"
        ),
        (
            "name: burst, type: always_sample",
            "found \"burst\", wanted another name: spans have that one which no policy has kept"
        ),
        ("name: \"a\\nb\", type: always_sample", "wanted a name on one line"),
        (
            "name: a, type: latency, latency: {}",
            "latency.threshold_ms: found 0 or nothing, wanted 1 or more, or upper_threshold_ms"
        ),
        (
            "name: a, type: probabilistic, probabilistic: {}",
            "probabilistic.sampling_percentage: is missing, wanted a number in 0...100"
        ),
        (
            "name: a, type: numeric_attribute, numeric_attribute: { key: k, min_value: 5, max_value: 1 }",
            "numeric_attribute.max_value: found 1, wanted 5 or more"
        ),
        (
            "name: a, type: rate_limiting, rate_limiting: { spans_per_second: 100, burst_capacity: 10 }",
            "burst_capacity: found 10, wanted 100 or more, which is what a second may keep"
        ),
        (
            "name: a, type: bytes_limiting, bytes_limiting: { bytes_per_second: 100, burst_capacity: 0 }",
            "burst_capacity: found 0, wanted 100 or more, which is what a second may keep"
        ),
    ])
    func whatCannotBeMeantIsRefused(_ policy: String, _ problem: String) {
        let problems = TailSamplingConfiguration.read("policies: [ { \(policy) } ]").problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix(problem) == true, "\(problems)")
    }

    @Test(arguments: [
        ("[a]", "", "composite.policy_order: found no \"b\", wanted all of composite_sub_policy"),
        ("[a, b, a]", "", "composite.policy_order: found a name twice, wanted each once"),
        ("[a, b]", "{ policy: a, percent: 0 }", "percent: found 0, wanted an integer in 1...100"),
        ("[a, b]", "{ policy: a }", "percent: is missing, wanted an integer in 1...100"),
        (
            "[a, b]", "{ policy: a, percent: 10 }, { policy: a, percent: 20 }",
            "rate_allocation: found a name twice, wanted each once"
        ),
        (
            "[a, b]", "{ policy: a, percent: 100 }",
            "rate_allocation: found 100 percent for 1 of 2 policies, wanted some for each"
        ),
        (
            "[a, b]", "{ policy: a, percent: 9 }",
            "max_total_spans_per_second: found 10, wanted enough for a span a second of each policy"
        ),
        (
            "[a, b]", "{ policy: a, percent: 91 }",
            "max_total_spans_per_second: found 10, wanted enough for a span a second of each policy"
        ),
    ])
    func whatCannotBeMeantOfCompositeIsRefused(_ order: String, _ shares: String, _ problem: String) {
        let problems = TailSamplingConfiguration.read(
            """
            policies: [ { name: c, type: composite, composite: { max_total_spans_per_second: 10, policy_order: \(order),
              composite_sub_policy: [ { name: a, type: always_sample }, { name: b, type: always_sample } ],
              rate_allocation: [ \(shares) ] } } ]
            """
        ).problems
        #expect(problems.count == 1)
        #expect(problems.first?.hasSuffix(problem) == true, "\(problems)")
    }

    @Test func whatIsWrongInAFileIsSaid() {
        func check(_ policies: String, _ expected: String..., at location: SourceLocation = #_sourceLocation) {
            let problems = TailSamplingConfiguration.read("policies:\n\(policies)").problems
            #expect(problems == expected, sourceLocation: location)
        }
        check(
            "  - { name: a, type: status_code, status_code: { status_codes: [BAD] } }",
            "2: policies[0].status_code.status_codes[0]: found \"BAD\", wanted one of UNSET, OK, ERROR")
        check(
            "  - { name: a, type: not, not: { not_sub_policy: { name: b, type: cost } } }",
            """
            2: policies[0].not: found a policy of chance (probabilistic, cost or a limiter), \
            wanted policies that match or do not
            """)
        check(
            "  - { name: a, type: always_sample }\n  - { name: a, type: always_sample }",
            "1: policies: found a name twice, wanted each once")
        check(
            "  - { name: a, type: rate_limiting }",
            "2: policies[0].rate_limiting.spans_per_second: found 0 or nothing, wanted an integer in 1...1000000000")
        #expect(!TailSamplingConfiguration.read("{}").problems.isEmpty)
        let many = (0...64).map {
            "  - { name: a\($0), type: boolean_attribute, boolean_attribute: { key: k\($0) } }"
        }
        check(
            many.joined(separator: "\n"),
            "1: policies: found 65 policies that ask something of spans, wanted at most 64")
    }
}
