import Testing

@testable import Weir

/// Traces in pieces, out of order, late and for ever, with everything that ends them.
@Suite struct TraceWindowSimulationTests {
    /// What goes through a window, and what must hold of it.
    private struct World {
        var random: SplitMix64
        var window: TraceWindow
        var now = Timestamp(nanoseconds: 1_000_000_000_000)
        var sequence: UInt64 = 0
        /// Spans by trace: how many went in, and out with which decision.
        var added: [TraceID: Int] = [:]
        var left: [TraceID: Int] = [:]
        var decisions: [TraceID: TraceDecision] = [:]
        /// Spans of each trace in each record that has not left.
        var contents: [UInt64: [TraceID: Int]] = [:]

        mutating func addRecord(copying copy: [TraceID: Int]? = nil) {
            sequence += 1
            window.begin(record: sequence, of: "t", at: now)
            var content = copy ?? [:]
            for trace in content.keys {
                _ = window.slot(of: trace, SamplingRandomness(trace.low), firstSeen: now, at: now)
            }
            window.arrive(Set(content.keys))
            for _ in 0..<(copy == nil ? 1 + random.below(20) : 0) {
                let number = random.chance(80) ? sequence / 4 + UInt64(random.below(4)) : UInt64(random.below(50))
                let trace = TraceID(high: 7, low: number &* 0x9E37_79B9_7F4A_7C15)
                let slot = window.slot(of: trace, SamplingRandomness(trace.low), firstSeen: now, at: now)
                let isRoot = random.chance(10)
                window.add(
                    TraceSummary.Span(start: 1, end: 2, bytes: 100, tests: random.chance(5) ? 1 : 0, isRoot: isRoot),
                    to: slot, at: now)
                content[trace, default: 0] += 1
                added[trace, default: 0] += 1
            }
            contents[sequence] = content
        }

        mutating func removeReady() {
            for _ in 0..<window.readyRecords(at: now, limit: 1 + random.below(8)) {
                let record = window.records[0]
                let open = window.openTraces(in: record)
                let content = contents.removeValue(forKey: record.sequence) ?? [:]
                if !open.isEmpty {
                    #expect(now >= record.since.advanced(by: window.settings.forwardAfter))
                    window.move(open, copied: open, from: record.sequence)
                    addRecord(copying: content.filter { open.contains($0.key) })
                }
                for (trace, spans) in content where !open.contains(trace) {
                    let decision = window.decision(on: TenantTrace("t", trace))
                    #expect(decision != nil)
                    if let decision {
                        #expect(decisions[trace] == nil || decisions[trace] == decision)
                        decisions[trace] = decision
                    }
                    left[trace, default: 0] += spans
                }
                window.removeFirst()
            }
        }
    }

    private static let policies = TailPolicies(
        [
            .init(name: "errors", rule: .test(0)),
            .init(name: "some", rule: .probability(SamplingThreshold(probability: 0.3))),
            .init(name: "few", rule: .limiter(0)),
        ], limits: [.init(unit: .spans, rate: 20, burst: 40)])

    @Test(arguments: 0..<(Torture.isOn ? 100 : 12) as Range<UInt64>)
    func everySpanLeavesOnceWithItsTracesOneDecision(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var settings = TraceWindow.Settings()
        settings.rootWait = random.chance(80) ? 2_000_000_000 : nil
        settings.idle = random.chance(50) ? 5_000_000_000 : nil
        settings.maxTraces = random.pick([20, 1_000])
        settings.maxSpans = random.pick([10, 1_000])
        settings.maxMemory = random.pick([20_000, 1 << 30])
        settings.forwardAfter = random.pick([500_000_000, 10_000_000_000, 100_000_000_000])
        var world = World(
            random: random,
            window: TraceWindow(settings, Self.policies, keptDecisions: 100_000, droppedDecisions: 100_000))
        var decided = 0
        for round in 0..<3_000 {
            if round < 2_000 { world.addRecord() }
            world.now = world.now.advanced(by: UInt64(world.random.below(200_000_000)))
            world.window.decide(at: world.now, isOverloaded: round / 100 == 7)
            let news = world.window.takeDecided()
            decided += news.count
            for one in news {
                #expect(world.decisions[one.trace.id] == nil, "decided twice")
                world.decisions[one.trace.id] = one.decision
            }
            world.removeReady()
        }
        world.now = world.now.advanced(by: 200_000_000_000)
        world.window.decide(at: world.now)
        world.now = world.now.advanced(by: 1_000_000_000)
        world.window.decide(at: world.now)
        decided += world.window.takeDecided().count
        while !world.window.records.isEmpty { world.removeReady() }
        #expect(world.left == world.added)
        #expect(decided == world.added.count)
        #expect(world.window.openTraces == 0)
        #expect(world.window.memory == 0)
    }
}
