import Testing

@testable import Weir

extension JournalSimulation {
    /// The power fails at any operation of two journals and the stage between them.
    @Suite struct TailSamplingCrashTests {
        private static let policies = """
            { name: errors, type: status_code, status_code: { status_codes: [ERROR] } },
            { name: half, type: probabilistic, probabilistic: { sampling_percentage: 50 } }
            """

        /// What holds whatever happens.
        private struct Ledger {
            var acknowledged: [UInt64: TenantTrace] = [:]
            /// Spans that came out, each once.
            var stored: [UInt64: TenantTrace] = [:]
            var decisions: [TenantTrace: RecordOrigin.Decision] = [:]
            /// Records of the second journal that were taken. After a crash they may be handed out again.
            private var taken: Set<UInt64> = []

            mutating func add(_ records: [JournalRecord], _ what: Comment) throws {
                for record in records where taken.insert(record.sequence).inserted {
                    var batch = Batch()
                    try OTLPDecoder().decode(record.payload, into: &batch)
                    for span in batch.spans {
                        let trace = TenantTrace(
                            record.tenant, TraceID(high: span.traceIDHigh, low: span.traceIDLow))
                        #expect(stored.updateValue(trace, forKey: span.spanID) == nil, what)
                    }
                    for decision in record.section.origin?.decisions ?? [] {
                        let trace = TenantTrace(record.tenant, decision.trace)
                        let before = decisions.updateValue(decision, forKey: trace)
                        #expect(before == nil || before == decision, what)
                    }
                }
            }
        }

        private func spans(_ first: UInt64, _ random: inout SplitMix64) -> [SpanFixture] {
            (0..<UInt64(1 + random.below(6))).map { index in
                var span = SpanFixture()
                // Traces that go on and on, and others that are whole with one request.
                let number = random.chance(50) ? UInt64(random.below(5)) : first + index
                span.traceID = (9, number &* 0x9E37_79B9_7F4A_7C15 | 1)
                span.spanID = first + index
                span.parentSpanID = random.chance(30) ? 0 : 1
                span.status = random.chance(10) ? 2 : 0
                return span
            }
        }

        @Test(arguments: 0..<(Torture.isOn ? 48 : 4) as Range<UInt64>)
        func nothingIsLostDoubledOrDecidedTwice(seed: UInt64) async throws {
            var random = SplitMix64(seed: seed)
            let what: Comment = "seed \(seed)"
            let configuration = try TailSamplingConfiguration(
                policies: Self.policies,
                "decision_wait: 200ms\ndecision_wait_after_root_received: 20ms\ncopy_forward_after: 100ms")
            let directory = try TemporaryDirectory()
            var disk = SimulatedDisk(seed: seed)
            var ledger = Ledger()
            var next: UInt64 = 1
            let lives = 4 + random.below(12)
            // In a small one the second journal is full most of the time.
            let maxBytes = random.pick([64 << 10, 1 << 20])
            let durability = random.pick([Durability.fsync, .interval])
            for life in 0...lives {
                let isLast = life == lives
                if !isLast { disk.crash(at: disk.count() + 20 + random.below(300)) }
                do {
                    let sample = try StageSample(
                        configuration, on: disk, directory: directory.path, maxBytes: maxBytes, durability: durability)
                    sample.start()
                    if random.chance(30) { try ledger.add(await sample.take(), what) }
                    for _ in 0..<40 {
                        let spans = spans(next, &random)
                        next += UInt64(spans.count)
                        // Their traces have the same ids, and nothing else in common.
                        let tenant = random.pick(["bank", "shop"])
                        guard await sample.append(spans, of: tenant) else { break }
                        for span in spans {
                            ledger.acknowledged[span.spanID] = TenantTrace(
                                tenant, TraceID(high: span.traceID.high, low: span.traceID.low))
                        }
                        guard random.chance(20) else { continue }
                        try await eventually("the stage has all, or cannot go on, or the power is off") {
                            let left = sample.first.unsettled(0)
                            return left == Load() || sample.waitingRecords == Double(left.records) || disk.isOff
                                || !sample.complaints.isEmpty
                        }
                    }
                    if isLast {
                        while sample.first.unsettled(0) != Load() || sample.waitingRecords != 0 {
                            try await eventually("something goes on") {
                                sample.second.unsettled(0) != Load()
                                    || sample.first.unsettled(0) == Load() && sample.waitingRecords == 0
                            }
                            try ledger.add(await sample.take(), what)
                        }
                        await sample.stop()
                        try ledger.add(await sample.take(), what)
                    } else {
                        await sample.abandon()
                    }
                } catch is DiskError {}
                if !isLast { disk = disk.afterCrash(seed: random.next()) }
            }
            for (span, trace) in ledger.acknowledged {
                guard let decision = ledger.decisions[trace] else {
                    Issue.record("\(what): nobody decided about trace \(trace.id.text)")
                    continue
                }
                #expect(ledger.stored[span] == (decision.isKept ? trace : nil), what)
            }
            #expect(!ledger.stored.isEmpty, what)
        }
    }
}
