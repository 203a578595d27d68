import Testing

@testable import Weir

@Suite struct ProbabilisticSamplerProcessorTests {
    private typealias Fate = SamplingSample.Fate

    private func span(_ traceID: (UInt64, UInt64) = (1, 0xC0_0000_0000_0000), _ traceState: String = "") -> SpanFixture
    {
        var span = SpanFixture()
        span.traceID = (high: traceID.0, low: traceID.1)
        span.traceState = traceState
        return span
    }

    private func fates(_ yaml: String, _ spans: [SpanFixture]) throws -> [Fate] {
        var processor = try ProcessorFixture<ProbabilisticSamplerProcessor>(yaml).processor
        return try SamplingSample.run(&processor, on: spans)
    }

    private func fate(_ yaml: String, _ span: SpanFixture) throws -> Fate {
        let fates = try self.fates(yaml, [span])
        return try #require(fates.first)
    }

    /// Made by another program that follows the Collector's source: trace id, seed, randomness, and at which
    /// percentages the trace is kept.
    private static let hashed: [(id: (UInt64, UInt64), seed: UInt32, rv: String, kept: [Bool])] = [
        ((0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c), 0, "886c204b10dde4", [false, false, false, true, true]),
        ((0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c), 22, "f984040d03019e", [false, true, true, true, true]),
        ((0xfefe_fefe_fefe_fefe, 0xfefe_fefe_fefe_fefe), 0, "6ea80912442455", [false, false, false, false, true]),
        ((0, 1), .max, "8e8418d937dc5e", [false, false, false, true, true]),
        ((0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736), 1, "651c14180766b8", [false, false, false, false, true]),
    ]

    @Test func hashesAsTheCollectorDoes() throws {
        let thresholds = ["fd74", "e668", "c", "8", "4"]
        for (id, seed, rv, kept) in Self.hashed {
            for (index, percentage) in [1, 10, 25, 50, 75].enumerated() {
                let fate = try self.fate("sampling_percentage: \(percentage)\nhash_seed: \(seed)", span(id, "a=1"))
                #expect(fate.isKept == kept[index], "\(rv) \(percentage)")
                guard kept[index] else { continue }
                #expect(fate.traceState == "ot=rv:\(rv);th:\(thresholds[index]),a=1")
            }
        }
    }

    @Test(arguments: ["hash_seed", "equalizing", "proportional"])
    func keepsThePartThatItIsTold(mode: String) throws {
        var random = SplitMix64(seed: 11)
        for percentage in [0.5, 10, 33.3, 80] {
            var processor = try ProcessorFixture<ProbabilisticSamplerProcessor>(
                "{ sampling_percentage: \(percentage), mode: \(mode) }"
            ).processor
            let kept = try SamplingSample.run(&processor, on: SamplingSample.spans(20_000, using: &random))
                .filter(\.isKept)
            let expected = 200 * percentage
            let deviation = (expected * (1 - percentage / 100)).squareRoot()
            #expect(abs(Double(kept.count) - expected) < 4 * deviation, "\(percentage) \(kept.count)")
            let estimate = kept.compactMap(\.adjustedCount).reduce(0, +)
            #expect(abs(estimate - 20_000) < 4 * deviation * 100 / percentage + 20, "\(estimate)")
        }
    }

    @Test func keepsAllOrNothingAtTheEnds() throws {
        for mode in ["hash_seed", "equalizing", "proportional"] {
            #expect(try fate("{ sampling_percentage: 0, mode: \(mode) }", span()).isKept == false)
            #expect(try fate("{ mode: \(mode) }", span()).isKept == false)
            for percentage in [100, 250] {
                let fate = try self.fate("{ sampling_percentage: \(percentage), mode: \(mode) }", span((1, 1)))
                #expect(fate.isKept && fate.traceState.hasSuffix("th:0") && fate.adjustedCount == 1)
            }
        }
        // Less than one in 2^14 is nothing to the hash.
        #expect(try fate("sampling_percentage: 0.006", span()).isKept == false)
    }

    @Test func equalizesWhatWasSampledBefore() throws {
        let yaml = "{ sampling_percentage: 50, mode: equalizing }"
        #expect(try fate(yaml, span()) == Fate(isKept: true, traceState: "ot=th:8", adjustedCount: 2))
        #expect(try fate(yaml, span((1, 0x7F_FFFF_FFFF_FFFF))).isKept == false)
        // A threshold never falls.
        let less = Fate(isKept: true, traceState: "ot=th:c", adjustedCount: 4)
        #expect(try fate(yaml, span((1, 0xC0_0000_0000_0000), "ot=th:c")) == less)
        let more = Fate(isKept: true, traceState: "ot=th:8,a=1", adjustedCount: 2)
        #expect(try fate(yaml, span((1, 0xC0_0000_0000_0000), "a=1,ot=th:4")) == more)
    }

    @Test func multipliesWhatWasSampledBefore() throws {
        let yaml = "{ sampling_percentage: 50, mode: proportional }"
        #expect(try fate(yaml, span()) == Fate(isKept: true, traceState: "ot=th:8", adjustedCount: 2))
        let product = Fate(isKept: true, traceState: "ot=th:c", adjustedCount: 4)
        #expect(try fate(yaml, span((1, 0xC0_0000_0000_0000), "ot=th:8")) == product)
        #expect(try fate(yaml, span((1, 0xBF_FFFF_FFFF_FFFF), "ot=th:8")).isKept == false)
        let least = span((1, 0xFF_FFFF_FFFF_FFFF), "ot=th:ffffffffffffff")
        #expect(try fate(yaml, least).isKept == false)
    }

    @Test func decidesByTheRandomnessThatIsGiven() throws {
        let yaml = "{ sampling_percentage: 50, mode: equalizing }"
        let low = span((1, 0xFF_FFFF_FFFF_FFFF), "ot=rv:7fffffffffffff")
        #expect(try fate(yaml, low).isKept == false)
        let high = try fate(yaml, span((1, 0), "ot=rv:80000000000000"))
        #expect(high == Fate(isKept: true, traceState: "ot=rv:80000000000000;th:8", adjustedCount: 2))
    }

    @Test func writesAsManyDigitsAsItIsTold() throws {
        for (precision, th) in [(3, "ccd"), (4, "cccd"), (14, "cccccccccccccd")] {
            let yaml = "{ sampling_percentage: 20, mode: equalizing, sampling_precision: \(precision) }"
            #expect(try fate(yaml, span((1, .max))).traceState.hasPrefix("ot=th:\(th.prefix(12))"))
        }
    }

    @Test func whatIsWrongDependsOnWhetherItFailsClosed() throws {
        let wrong = [
            ("equalizing", span((1, 0xFF_FFFF_FFFF_FFFF), "broken")),
            ("equalizing", span((1, 0), "a=1,ot=th:8")), ("proportional", span((1, 0), "a=1,ot=th:8")),
            ("hash_seed", span((1, 0xFF_FFFF_FFFF_FFFF), "broken")), ("hash_seed", span((1, 1), "ot=th:0")),
            ("hash_seed", span((1, 1), "ot=rv:00000000000000")),
        ]
        for (mode, span) in wrong {
            let yaml = "sampling_percentage: 99\nmode: \(mode)"
            #expect(try fate(yaml, span).isKept == false)
            let open = try fate(yaml + "\nfail_closed: false", span)
            // A threshold that cannot be goes; what is not understood stays.
            let isInconsistent = span.traceState == "a=1,ot=th:8"
            #expect(open.isKept && open.traceState == (isInconsistent ? "a=1" : span.traceState))
        }
    }

    @Test func priorityGoesBeforeChance() throws {
        func prioritized(_ value: NewValue, _ traceState: String = "") -> SpanFixture {
            var span = self.span((1, 0), traceState)
            span.attributes = [NewPair(key: "sampling.priority", value: value)]
            return span
        }
        for mode in ["hash_seed", "equalizing", "proportional"] {
            let some = "{ sampling_percentage: 1, mode: \(mode) }"
            for value in [NewValue.int(1), .double(0.1), .string("2")] {
                let fate = try self.fate(some, prioritized(value))
                #expect(fate.isKept && fate.traceState.hasSuffix("th:0"), "\(mode) \(value)")
            }
            let all = "{ sampling_percentage: 100, mode: \(mode) }"
            for value in [NewValue.int(0), .double(0), .string("0")] {
                #expect(try fate(all, prioritized(value)).isKept == false)
            }
            for value in [NewValue.int(-1), .string("high"), .bool(true)] {
                #expect(try fate(all, prioritized(value)).isKept)
                #expect(try fate("{ mode: \(mode) }", prioritized(value)).isKept == false)
            }
            #expect(try fate("{ mode: \(mode) }", prioritized(.int(1))).isKept)
        }
        // What was sampled before stays so, and what cannot be is not known.
        let equalizing = "{ sampling_percentage: 1, mode: equalizing }"
        var span = prioritized(.int(1), "ot=th:8")
        span.traceID.low = .max
        #expect(try fate(equalizing, span).traceState == "ot=th:8")
        #expect(try fate(equalizing, prioritized(.int(1), "ot=th:8")).traceState == "")
    }

    @Test func aWeightOfAnEarlierStageIsMultiplied() throws {
        var weighed = span()
        weighed.attributes = [NewPair(key: "weir.sampling.adjusted_count", value: .double(5))]
        let fate = try self.fate("{ sampling_percentage: 50, mode: equalizing }", weighed)
        #expect(fate == Fate(isKept: true, traceState: "ot=th:8", adjustedCount: 10))
    }

    @Test func aTraceStateWithoutRoomHasTheCountInAnAttribute() throws {
        let full = (0..<32).map { "k\($0)=1" }.joined(separator: ",")
        let fate = try self.fate("{ sampling_percentage: 50, mode: equalizing }", span((1, 0xC0_0000_0000_0000), full))
        #expect(fate == Fate(isKept: true, traceState: full, adjustedCount: 2))
    }

    @Test func countsByWhatWasDecided() throws {
        let fixture = try ProcessorFixture<ProbabilisticSamplerProcessor>(
            "{ sampling_percentage: 50, mode: equalizing }")
        var processor = fixture.processor
        var must = span((1, 0))
        must.attributes = [NewPair(key: "sampling.priority", value: .int(1))]
        _ = try SamplingSample.run(
            &processor, on: [span(), span((1, 0)), span((1, 0), "ot=rv:ffffffffffffff"), span((1, 1), "x"), must])
        func count(_ policy: String, _ sampled: Bool) -> String {
            let name = "otelcol_processor_probabilistic_sampler_count_traces_sampled"
            return "\(name){policy=\"\(policy)\",processor=\"probabilistic_sampler/test\",sampled=\"\(sampled)\"} 1"
        }
        for (policy, sampled) in [
            ("trace_id_w3c", true), ("trace_id_w3c", false), ("sampling_randomness", true),
            ("missing_randomness", false), ("sampling_priority", true),
        ] {
            #expect(fixture.metrics.render().contains(count(policy, sampled)), "\(policy)")
        }
    }

    @Test func whatIsSampledOutStillCounts() throws {
        var processor = try ProcessorFixture<ProbabilisticSamplerProcessor>("sampling_percentage: 0").processor
        var batch = try SpanFixture.batch([span(), span()])
        processor.process(&batch)
        #expect(batch.sampledOutSpanCount == 2)
        #expect(batch.text(batch.samplingRule(of: batch.spans[1])) == "probabilistic_sampler/test")
    }

    @Test(arguments: [
        ("sampling_percentage: -1", "1: sampling_percentage: found -1, wanted a number in 0.0...1000000.0"),
        ("sampling_percentage: 1e-16", "1: sampling_percentage: found 1e-16, wanted 0 or at least 1.4e-15"),
        ("mode: random", "1: mode: found the string \"random\", wanted one of hash_seed, proportional, equalizing"),
        ("hash_seed: 4294967296", "1: hash_seed: found 4294967296, wanted an integer in 0...4294967295"),
        ("sampling_precision: 0", "1: sampling_precision: found 0, wanted an integer in 1...14"),
        (
            "attribute_source: record",
            "1: note: attribute_source: has no effect: it is for logs; spans are chosen by their trace ids"
        ),
    ])
    func saysWhatIsWrong(yaml: String, problem: String) {
        #expect(ProcessorFixture<ProbabilisticSamplerProcessor>.problems(yaml) == [problem])
    }
}
