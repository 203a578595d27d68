import Testing

@testable import Weir

@Suite struct TraceWindowTests {
    private static let second: UInt64 = 1_000_000_000

    /// A window whose policy keeps traces of which a span passed test 0.
    private func window(
        _ settings: TraceWindow.Settings = .init(), keptDecisions: Int = 1_000, droppedDecisions: Int = 1_000,
        _ policies: TailPolicies = TailPolicies([.init(name: "good", rule: .test(0))])
    ) -> TraceWindow {
        TraceWindow(settings, policies, keptDecisions: keptDecisions, droppedDecisions: droppedDecisions)
    }

    private func at(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: UInt64(seconds * 1e9) + 1) }

    private func trace(_ number: UInt64) -> TraceID { TraceID(high: 1, low: number) }

    private func key(_ number: UInt64, of tenant: String = "t") -> TenantTrace { TenantTrace(tenant, trace(number)) }

    private func add(
        _ traces: [UInt64], record: UInt64, to window: inout TraceWindow, at now: Timestamp, isGood: Bool = false,
        isRoot: Bool = false, of tenant: String = "t"
    ) {
        window.begin(record: record, of: tenant, at: now)
        for number in traces {
            let slot = window.slot(of: trace(number), SamplingRandomness(number), firstSeen: now, at: now)
            window.add(TraceSummary.Span(tests: isGood ? 1 : 0, isRoot: isRoot), to: slot, at: now)
        }
    }

    @Test func aTraceIsDecidedAWhileAfterItsRootCame() {
        var window = window()
        add([1], record: 1, to: &window, at: at(0), isRoot: true)
        add([1], record: 2, to: &window, at: at(1), isGood: true)
        window.decide(at: at(1.9))
        #expect(window.decision(on: key(1)) == nil)
        #expect(window.nextDue(at: at(1.9)) == at(2))
        window.decide(at: at(2))
        let decided = window.takeDecided()
        #expect(decided.map(\.cause) == [.rootEnded])
        #expect(decided.first?.spans == 2)
        #expect(decided.first?.decision.isKept == true)
        #expect(window.names[decided.first?.decision.rule ?? 0] == "good")
    }

    @Test func withoutARootItWaitsForAllOfDecisionWait() {
        var window = window()
        add([1], record: 1, to: &window, at: at(0))
        window.decide(at: at(29.9))
        #expect(window.takeDecided().isEmpty)
        window.decide(at: at(30))
        #expect(window.takeDecided().map(\.cause) == [.waited])
    }

    @Test func silenceEndsATraceWhereThatIsConfigured() {
        var settings = TraceWindow.Settings()
        settings.idle = 5 * Self.second
        var window = window(settings)
        add([1], record: 1, to: &window, at: at(0))
        add([1], record: 2, to: &window, at: at(3))
        window.decide(at: at(5))
        #expect(window.takeDecided().isEmpty)
        window.decide(at: at(8))
        #expect(window.takeDecided().map(\.cause) == [.idle])
    }

    @Test func aGiantTraceIsDecidedAndDelaysNobody() {
        var settings = TraceWindow.Settings()
        settings.maxSpans = 100
        var window = window(settings)
        for record in 1...1_000 as ClosedRange<UInt64> {
            add(Array(repeating: 1, count: 100), record: record, to: &window, at: at(0))
            window.decide(at: at(0))
        }
        #expect(window.takeDecided().map(\.cause) == [.traceSize])
        #expect(window.lateSpans == 99_900)
        #expect(window.readyRecords(at: at(0), limit: 10_000) == 1_000)
        for _ in 0..<1_000 { window.removeFirst() }
        #expect(window.memory == 0)
    }

    @Test func lateSpansFollowTheDecisionAlsoAfterTheTraceIsForgotten() {
        var window = window()
        add([1], record: 1, to: &window, at: at(0), isGood: true, isRoot: true)
        window.decide(at: at(2))
        window.removeFirst()
        #expect(window.memory == 0)
        add([1], record: 2, to: &window, at: at(100))
        #expect(window.decision(on: key(1))?.isKept == true)
        #expect(window.openTraces == 0)
        // It stands in an earlier record already.
        #expect(window.newDecisions(in: window.records[0]).isEmpty)
        #expect(window.takeDecided().count == 1)
    }

    @Test func decisionsOfAnEarlierProcessHold() {
        var window = window()
        window.remember(.init(trace: trace(1), threshold: .always, isKept: true, rule: "older"), of: "t")
        add([1], record: 1, to: &window, at: at(0))
        #expect(window.decision(on: key(1)).map { window.names[$0.rule] } == "older")
        #expect(window.readyRecords(at: at(0), limit: 9) == 1)
    }

    @Test func aTraceIsOneOfATenant() {
        var window = window()
        window.remember(.init(trace: trace(2), threshold: .never, isKept: false, rule: ""), of: "shop")
        add([1, 2], record: 1, to: &window, at: at(0), isRoot: true, of: "shop")
        add([1, 2], record: 2, to: &window, at: at(0), isGood: true, isRoot: true, of: "bank")
        #expect(window.openTraces == 3)
        // What leaves a record of the one stays in that of the other.
        #expect(window.openTraces(in: window.records[0]) == [trace(1)])
        #expect(window.openTraces(in: window.records[1]) == [trace(1), trace(2)])
        window.decide(at: at(2))
        let decided = window.takeDecided()
        #expect(Set(decided.map(\.trace)) == [key(1, of: "shop"), key(1, of: "bank"), key(2, of: "bank")])
        for _ in 0..<2 { window.removeFirst() }
        #expect(window.memory == 0)
        for tenant in ["bank", "shop"] {
            add([1, 2], record: tenant == "bank" ? 3 : 4, to: &window, at: at(9), isGood: true, of: tenant)
            for number in [1, 2] as [UInt64] {
                #expect(window.decision(on: key(number, of: tenant))?.isKept == (tenant == "bank"))
            }
        }
        let more = window.takeDecided()
        #expect(more.isEmpty)
    }

    @Test func tooManyTracesAreDecidedThoseThatAreDueFirstAtFirst() {
        var settings = TraceWindow.Settings()
        settings.maxTraces = 10
        var window = window(settings)
        for number in 1...15 as ClosedRange<UInt64> {
            add([number], record: number, to: &window, at: at(Double(number)))
        }
        window.decide(at: at(15))
        let decided = window.takeDecided()
        #expect(decided.map(\.cause) == Array(repeating: .traceCount, count: 5))
        #expect(decided.map(\.trace) == (1...5).map { key($0) })
        #expect(window.openTraces == 10)
    }

    @Test func theEstimateOfMemoryIsNotTooLow() {
        // A dictionary is at most half empty after it has grown; of alarms a trace has two at most.
        let index = 2 * (MemoryLayout<TenantTrace>.stride + MemoryLayout<Int32>.stride + 1)
        let alarms = 2 * MemoryLayout<AlarmQueue.Alarm>.stride
        #expect(MemoryLayout<TraceWindow.Trace>.stride + index + alarms <= TraceWindow.traceBytes)
        #expect(MemoryLayout<TraceWindow.Record>.stride + 32 <= TraceWindow.recordBytes)
    }

    @Test func memoryIsBounded() {
        var settings = TraceWindow.Settings()
        settings.maxMemory = 1 << 20
        var window = window(settings)
        var most = 0
        for number in 1...100_000 as ClosedRange<UInt64> {
            add([number], record: number, to: &window, at: at(0))
            guard number.isMultiple(of: 100) else { continue }
            window.decide(at: at(0))
            for _ in 0..<window.readyRecords(at: at(0), limit: .max) { window.removeFirst() }
            most = max(most, window.memory)
        }
        #expect(most < (1 << 20) + 100 * (TraceWindow.traceBytes + TraceWindow.recordBytes + 4))
        #expect(Set(window.takeDecided().map(\.cause)) == [.memory])
    }

    @Test func overloadedItDecidesAtOnce() {
        let policies = TailPolicies(
            [.init(name: "few", rule: .limiter(0))], limits: [.init(unit: .spans, rate: 1, burst: 1)])
        var window = window(.init(), policies)
        add([1, 2, 3], record: 1, to: &window, at: at(0))
        window.decide(at: at(0), isOverloaded: true)
        #expect(window.takeDecided().map(\.cause) == [.overload, .overload, .overload])
        #expect(window.readyRecords(at: at(0), limit: 9) == 1)
    }

    @Test func aRecordWaitsForItsTracesButNotForEver() {
        var window = window()
        add([1, 2], record: 1, to: &window, at: at(0))
        add([1], record: 2, to: &window, at: at(0), isRoot: true)
        window.decide(at: at(2))
        #expect(window.readyRecords(at: at(2), limit: 9) == 0)
        #expect(window.readyRecords(at: at(10), limit: 9) == 2)
        #expect(window.openTraces(in: window.records[0]) == [trace(2)])
        window.move([trace(2)], copied: [trace(2)], from: 1)
        #expect(window.openTraces(in: window.records[0]).isEmpty)
        window.removeFirst()
        window.removeFirst()
        // The copy adds nothing to what is known of the trace.
        window.begin(record: 3, of: "t", at: at(10))
        _ = window.slot(of: trace(2), SamplingRandomness(2), firstSeen: at(0), at: at(10))
        window.arrive([trace(2)])
        window.decide(at: at(30))
        let decided = window.takeDecided()
        #expect(decided.last?.trace == key(2))
        #expect(decided.last?.spans == 1)
        window.removeFirst()
        #expect(window.memory == 0)
    }

    @Test func aDecisionThatComesBeforeTheCopyIsSaidByTheCopy() {
        var window = window()
        add([1], record: 1, to: &window, at: at(0))
        window.move([trace(1)], copied: [trace(1)], from: 1)
        window.removeFirst()
        window.decide(at: at(30))
        #expect(window.takeDecided().count == 1)
        window.begin(record: 2, of: "t", at: at(30))
        _ = window.slot(of: trace(1), SamplingRandomness(1), firstSeen: at(0), at: at(30))
        window.arrive([trace(1)])
        #expect(window.newDecisions(in: window.records[0]).map(\.trace) == [trace(1)])
        window.removeFirst()
        #expect(window.memory == 0)
    }

    /// Its spans were erased, or cannot be read.
    @Test(arguments: [false, true]) func aTraceOfWhichNothingIsLeftIsDecidedAndForgotten(wasMoved: Bool) {
        var window = window()
        add([1, 2], record: 1, to: &window, at: at(0))
        if wasMoved { window.move([trace(1), trace(2)], from: 1) }
        window.removeFirst()
        #expect(window.openTraces == 2)
        window.decide(at: at(30))
        #expect(window.takeDecided().count == 2 && window.openTraces == 0 && window.memory == 0)
        // What comes late follows the decision.
        add([1], record: 2, to: &window, at: at(31))
        #expect(window.lateSpans == 1)
        window.removeFirst()
        #expect(window.memory == 0)
    }

    @Test func limitersAnswerASecondLaterForAllThatGathered() {
        let policies = TailPolicies(
            [.init(name: "few", rule: .limiter(0))], limits: [.init(unit: .spans, rate: 2, burst: 2)])
        var settings = TraceWindow.Settings()
        settings.rootWait = 0
        var window = window(settings, policies)
        add([9, 3, 7, 5], record: 1, to: &window, at: at(0), isRoot: true)
        window.decide(at: at(0))
        #expect(window.takeDecided().isEmpty)
        window.decide(at: at(1))
        let decided = window.takeDecided()
        #expect(decided.filter(\.decision.isKept).map(\.trace) == [key(9), key(7)])
        #expect(decided.allSatisfy { $0.decision.threshold == SamplingThreshold(rejecting: 6) })
        #expect(decided.allSatisfy { $0.delay == 0 })
    }
}
