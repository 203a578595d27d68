import Testing

@testable import Weir

/// The stage between two real journals.
@Suite struct TailSamplingStageTests {
    private static let quick =
        "decision_wait: 500ms\ndecision_wait_after_root_received: 10ms\ncopy_forward_after: 200ms"
    private static let errors = "{ name: errors, type: status_code, status_code: { status_codes: [ERROR] } }"

    private func sample(
        _ policies: String, _ further: String = quick, on disk: SimulatedDisk = SimulatedDisk(seed: 1),
        _ directory: TemporaryDirectory? = nil, processors: [any Processor] = [], maxBytes: Int = 1 << 20
    ) throws -> StageSample {
        let sample = try StageSample(
            try TailSamplingConfiguration(policies: policies, further), on: disk,
            directory: try (directory ?? TemporaryDirectory()).path, processors: processors, maxBytes: maxBytes)
        sample.start()
        return sample
    }

    private func span(_ trace: UInt64, _ id: UInt64, change: (inout SpanFixture) -> Void = { _ in }) -> SpanFixture {
        var span = SpanFixture()
        span.traceID = (1, trace)
        span.spanID = id
        span.name = "\(id)"
        change(&span)
        return span
    }

    private func finish(_ sample: StageSample) async throws -> [JournalRecord] {
        try await eventually("all is decided and gone on") { sample.first.unsettled(0) == Load() }
        await sample.stop()
        return await sample.take()
    }

    /// Calls `body` with each span that went on, by its id.
    private func forEach(_ records: [JournalRecord], _ body: (UInt64, SpanRecord, borrowing Batch) -> Void) throws {
        for record in records {
            var batch = Batch()
            try OTLPDecoder().decode(record.payload, into: &batch)
            for span in batch.spans { body(span.spanID, span, batch) }
        }
    }

    @Test func aKeptSpanSaysByWhichPolicyAndWithWhichProbability() async throws {
        let sample = try sample(
            "\(Self.errors), { name: half, type: probabilistic, probabilistic: { sampling_percentage: 50 } }")
        let high: UInt64 = 0xff_ffff_ffff_ffff
        #expect(
            await sample.append([
                span(high, 1), span(high, 2) { $0.traceState = "a=1,ot=th:c" },
                span(high, 3) { $0.traceState = "ot=rv:00000000000001" }, span(5, 4) { $0.status = 2 },
                span(5, 5) { $0.traceState = "not a trace state" }, span(6, 6),
            ]))
        var states: [UInt64: String] = [:]
        var rules: [UInt64: String] = [:]
        try forEach(try await finish(sample)) { id, span, batch in
            states[id] = batch.text(span.traceState)
            if case .string(let rule)? = batch.value(of: Batch.samplingRule, in: span.attributes) {
                rules[id] = String(decoding: rule, as: UTF8.self)
            }
        }
        // The trace decides by the rv that one of its spans names, and that is too low.
        #expect(states[1] == nil && states[2] == nil && states[3] == nil && states[6] == nil)
        #expect(states == [4: "ot=th:0", 5: "not a trace state"])
        #expect(rules == [4: "errors", 5: "errors"])
    }

    @Test func theHigherThresholdStays() async throws {
        let sample = try sample("{ name: half, type: probabilistic, probabilistic: { sampling_percentage: 50 } }")
        let high: UInt64 = 0xff_ffff_ffff_ffff
        #expect(await sample.append([span(high, 1), span(high, 2) { $0.traceState = "a=1,ot=th:c" }]))
        var states: [UInt64: String] = [:]
        try forEach(try await finish(sample)) { id, span, batch in states[id] = batch.text(span.traceState) }
        #expect(states == [1: "ot=th:8", 2: "a=1,ot=th:c"])
    }

    @Test func whatWasLeftOutIsCountedInTheSectionWithWhatWasLeftOutBefore() async throws {
        let sample = try sample(Self.errors)
        var batch = try SpanFixture.batch([span(1, 1), span(1, 2), span(2, 3) { $0.status = 2 }])
        batch.tenant = "t"
        batch.sampleOut(span: 0)
        let lane = Pipeline(id: ComponentID(type: "traces"), processors: [], journal: sample.first).makeLane()
        let entry = try lane.process(&batch)
        _ = try await sample.first.append(try #require(entry))
        let records = try await finish(sample)
        #expect(records.map(\.spanCount) == [1])
        let section = try #require(records.first?.section.value(of: .sampledOut))
        #expect(try Array(section).withUnsafeBytes(SampledOut.spanCount) == 2)
    }

    @Test func processorsBehindItSeeOnlyWhatIsKept() async throws {
        let filter = try ProcessorFixture<FilterProcessor>(#"traces: { span: [ 'name == "2"' ] }"#)
        let sample = try sample(Self.errors, processors: [filter.processor])
        #expect(await sample.append([span(1, 1) { $0.status = 2 }, span(1, 2), span(2, 2)]))
        #expect(try await finish(sample).map(\.spanCount) == [1])
        #expect(
            filter.metrics.render().contains(#"otelcol_processor_filter_spans_filtered{filter="filter/test"} 1"#))
    }

    /// What is written on small spans is more than the spans: the second journal takes more than its limit then.
    @Test(arguments: [1, 2, 3])
    func aRecordThatGrowsGoesOnAndSoDoesTheOneBehindIt(_ part: UInt64) async throws {
        let (maxBytes, name) = (128 << 10, String(repeating: "p", count: 64))
        // All are kept, or each second one, or each third one.
        let keeps = { (id: UInt64) in id % part == 0 }
        let sample = try sample(
            "{ name: \(name), type: status_code, status_code: { status_codes: [ERROR] } }", maxBytes: maxBytes)
        let count = UInt64((60 << 10) / SpanFixture.request([span(1_000, 1_000)]).count)
        let large = (1...count).map { id in span(id, id) { $0.status = keeps(id) ? 2 : 0 } }
        #expect(await sample.append(large))
        #expect(await sample.append([span(count + 1, count + 1) { $0.status = 2 }]))
        var records: [JournalRecord] = []
        while sample.first.unsettled(0) != Load() {
            try await eventually("something goes on") {
                sample.second.unsettled(0) != Load() || sample.first.unsettled(0) == Load()
            }
            records += await sample.take()
        }
        await sample.stop()
        records += await sample.take()
        var ids: [UInt64] = []
        try forEach(records) { id, _, _ in ids.append(id) }
        #expect(ids.sorted() == (1...count).filter(keeps) + [count + 1])
        guard part == 1 else { return }
        let largest = records.map { $0.payload.count + $0.section.bytes.count }.max() ?? 0
        // Half of what the second journal may have.
        #expect(largest > maxBytes * 3 / 4)
    }

    /// Refuses what has a span of that name, as encryption does of whom there is no key.
    private struct Gatekeeper: Processor {
        static let type = "gatekeeper"
        static let help = "Refuses what has a span of the name 2."
        struct Configuration: Configurable {
            init(_ fields: inout Fields) {}
        }

        let isOpen = Flag()

        init() {}

        init(_ configuration: Configuration, _ context: Context) { self.init() }

        mutating func process(_ batch: inout Batch) throws(Refusal) {
            if !isOpen.isSet, batch.spans.contains(where: { batch.text($0.name) == "2" }) {
                throw .overloaded("there is no key", retryAfter: .seconds(1))
            }
        }
    }

    @Test func whatAProcessorBehindItRefusesIsNamedAndHoldsNothingInFrontOfIt() async throws {
        let gatekeeper = Gatekeeper()
        let sample = try sample(Self.errors, processors: [gatekeeper])
        for id in UInt64(1)...3 { #expect(await sample.append([span(id, id) { $0.status = 2 }])) }
        try await eventually("it says so") { !sample.complaints.isEmpty && sample.second.unsettled(0) != Load() }
        let complaint = "tail_sampling of traces: record 2 cannot go on: a processor behind the stage does not take it"
        #expect(sample.complaints.first?.hasPrefix("\(complaint): ") == true, "\(sample.complaints)")
        #expect(sample.complaints.first?.contains("there is no key") == true)
        #expect(await sample.take().map(\.spanCount) == [1])
        gatekeeper.isOpen.set(true)
        #expect(try await finish(sample).map(\.spanCount) == [1, 1])
        #expect(sample.complaints.isEmpty)
    }

    @Test func whereItsFilesCannotBeMadeItDecidesOnceTheyCan() async throws {
        let directory = try TemporaryDirectory()
        let place = directory.path + "/stage"
        try Directory.replace(place, with: [])
        let sample = try StageSample(
            try TailSamplingConfiguration(policies: Self.errors, Self.quick), on: SimulatedDisk(seed: 1),
            directory: place)
        sample.start()
        #expect(await sample.append([span(1, 1) { $0.status = 2 }]))
        try await eventually("it says so") { !sample.complaints.isEmpty }
        #expect(sample.complaints.first?.hasPrefix("tail_sampling of traces: cannot use its files: ") == true)
        try Directory.removeFile(place)
        #expect(try await finish(sample).map(\.spanCount) == [1])
        #expect(sample.complaints.isEmpty)
    }

    @Test func spansOfAnOpenTraceDelayNobodyAndAreCopied() async throws {
        let sample = try sample(
            Self.errors, "decision_wait: 1h\ndecision_wait_after_root_received: 10ms\ncopy_forward_after: 100ms")
        #expect(
            await sample.append([span(1, 1) { $0.status = 2 }, span(2, 2) { $0.parentSpanID = 3 }]))
        try await eventually("what is decided has gone on") { sample.second.unsettled(0) != Load() }
        let early = await sample.take()
        #expect(early.map(\.spanCount) == [1])
        // Its root, at which it is decided, however long it took to come.
        #expect(await sample.append([span(2, 3) { $0.status = 2 }]))
        let records = try await finish(sample)
        var ids: [UInt64] = []
        try forEach(records) { id, _, _ in ids.append(id) }
        #expect(ids.sorted() == [2, 3])
        #expect(
            sample.metrics.counter(
                "weir_tail_sampling_copied_spans", help: "", labels: ["processor": "tail_sampling"]
            ).value > 0)
    }

    /// Appends what an earlier process has copied out of a record.
    private func copy(_ spans: [SpanFixture], of origin: UInt64, to sample: StageSample) async throws {
        var entry = JournalEntry(
            tenant: "t", receivedAt: .now(), spanCount: spans.count, payload: SpanFixture.request(spans))
        entry.section.add(RecordOrigin(sample.first.id, origin...origin))
        _ = try await sample.first.append(entry)
    }

    /// That process was killed before the record had gone on without what was copied. Were the record to go on first,
    /// and this process be killed then, the next could not tell which of them are void.
    @Test func copiesWhoseRecordHasNotGoneOnEndBeforeItDoes() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let configuration = try TailSamplingConfiguration(policies: "{ name: all, type: always_sample }", Self.quick)
        let first = try StageSample(configuration, on: disk, directory: directory.path)
        #expect(await first.append([span(1, 1)]))
        // Twice, and a copy of a copy.
        for origin in [1, 1, 2] as [UInt64] { try await copy([span(1, 1)], of: origin, to: first) }
        await first.stop()
        let second = try StageSample(configuration, on: disk, directory: directory.path)
        second.start()
        let records = try await finish(second)
        #expect(records.map { $0.section.origin?.sequences } == [2...4, 1...1])
        #expect(records.map(\.spanCount) == [0, 1])
    }

    /// It was killed before it had said that what it had forwarded may go.
    @Test func copiesEndAlsoWhereTheSecondJournalIsFullOfWhatHasGoneOn() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let configuration = try TailSamplingConfiguration(policies: "{ name: all, type: always_sample }", Self.quick)
        let first = try StageSample(configuration, on: disk, directory: directory.path, maxBytes: 64 << 10)
        var count: UInt64 = 0
        var isFull = false
        while !isFull {
            count += 1
            #expect(await first.append([span(count, count)]))
            let large = SpanFixture.request([span(count, count) { $0.name = String(repeating: "x", count: 4_000) }])
            var entry = JournalEntry(tenant: "t", receivedAt: .now(), spanCount: 1, payload: large)
            entry.section.add(RecordOrigin(first.first.id, count...count))
            do { _ = try await first.second.append(entry) } catch { isFull = true }
        }
        try await copy([span(count, count)], of: count, to: first)
        await first.stop()
        let second = try StageSample(configuration, on: disk, directory: directory.path, maxBytes: 64 << 10)
        second.start()
        var records = await second.take()
        records += try await finish(second)
        #expect(records.map(\.spanCount) == Array(repeating: 1, count: Int(count) - 1) + [0, 1])
    }

    @Test func whatHasGoneOnIsKnownAlsoWhereTheDiskFailsOnce() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let configuration = try TailSamplingConfiguration(policies: Self.errors, Self.quick)
        let first = try StageSample(configuration, on: disk, directory: directory.path)
        #expect(await first.append([span(1, 1) { $0.status = 2 }]))
        var entry = JournalEntry(
            tenant: "t", receivedAt: .now(), spanCount: 1, payload: SpanFixture.request([span(1, 1)]))
        entry.section.add(RecordOrigin(first.first.id, 1...1))
        _ = try await first.second.append(entry)
        await first.stop()
        let second = try StageSample(configuration, on: disk, directory: directory.path)
        disk.fail(.read, at: disk.count(of: .read) + 1)
        second.start()
        #expect(try await finish(second).map(\.spanCount) == [1])
    }

    /// Only its own segments are left to write to, and the record that waits for a copy holds them.
    @Test func aFullDiskHoldsUpNoRecordThatIsDecided() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let sample = try StageSample(
            try TailSamplingConfiguration(
                policies: "{ name: all, type: always_sample }", "decision_wait: 10s\ncopy_forward_after: 100ms"),
            on: disk, directory: directory.path)
        func open(_ trace: UInt64) -> SpanFixture {
            span(trace, trace) { ($0.parentSpanID, $0.name) = (9, String(repeating: "x", count: 6_500)) }
        }
        #expect(await sample.append([open(1)]))
        _ = try await sample.second.append(
            JournalEntry(tenant: "t", receivedAt: .now(), spanCount: 0, payload: .empty))
        let spares = ["first-", "second-"].map { $0 + JournalLog.spareName }
        try await eventually("each journal has a segment and a spare") {
            spares.allSatisfy(disk.contents.keys.contains)
        }
        disk.fail(.freeBytes, at: disk.count(of: .freeBytes) + 1, isLasting: true, isFull: true)
        #expect(await sample.append([open(2)]))
        sample.start()
        try await eventually("the copy is refused") { !sample.complaints.isEmpty }
        #expect(try await finish(sample).map(\.spanCount) == [0, 1, 1])
    }

    @Test func aCopyOfWhatNobodyCanReadAnyMoreGoesOn() async throws {
        let sample = try sample(Self.errors)
        try await copy([span(1, 1) { $0.status = 2 }], of: 99, to: sample)
        #expect(try await finish(sample).map(\.spanCount) == [1])
    }

    @Test func aRestartGoesOnWithTheNewPolicies() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let slow = "decision_wait: 1h\ndecision_wait_after_root_received: 1h\ncopy_forward_after: 1h"
        let first = try sample(Self.errors, slow, on: disk, directory)
        #expect(await first.append([span(1, 1), span(2, 2)]))
        await first.stop()
        #expect(await first.take().isEmpty)
        let second = try sample("{ name: all, type: always_sample }", on: disk, directory)
        #expect(try await finish(second).map(\.spanCount) == [2])
    }

    /// A tenant that knows the id of another's trace decides nothing about it, and what is remembered keeps them apart.
    @Test func twoTenantsWithOneTraceIDAreDecidedEachOnItsOwnAlsoAfterARestart() async throws {
        let disk = SimulatedDisk(seed: 1)
        let directory = try TemporaryDirectory()
        let first = try sample(Self.errors, on: disk, directory)
        #expect(await first.append([span(1, 1)], of: "shop"))
        try await eventually("the one is left out") {
            first.first.unsettled(0) == Load() && first.waitingRecords == 0
        }
        #expect(await first.append([span(1, 2) { $0.status = 2 }], of: "bank"))
        let kept = try await finish(first)
        #expect(kept.filter { $0.spanCount > 0 }.map(\.tenant) == ["bank"])
        let second = try sample(Self.errors, on: disk, directory)
        #expect(await second.append([span(1, 3) { $0.status = 2 }], of: "shop"))
        #expect(await second.append([span(1, 4) { $0.parentSpanID = 2 }], of: "bank"))
        // The exporter has not kept how far it was, so it has the first again.
        let all = try await finish(second)
        #expect(all.filter { $0.spanCount > 0 }.map(\.tenant) == ["bank", "bank"])
        var ids: [UInt64] = []
        try forEach(all) { id, _, _ in ids.append(id) }
        #expect(ids == [2, 4])
    }

    /// How many are kept, and what that says of how many there were.
    @Test func countsAndCostsAreTrueWhateverThePolicy() async throws {
        let sample = try sample(
            """
            \(Self.errors), { name: money, type: cost, cost: { full_usd: 1, floor_percentage: 5 } },
            { name: tenth, type: probabilistic, probabilistic: { sampling_percentage: 10 } }
            """, maxBytes: 64 << 20)
        var random = SplitMix64(seed: 21)
        var cost = 0.0
        let traces = 8_000
        for start in stride(from: 0, to: traces, by: 100) {
            let spans = (start..<start + 100).map { number in
                let amount = random.below(1_000) < 20 ? 2_000_000 : random.below(100_000)
                cost += Double(amount)
                return span(random.next(), UInt64(number + 1)) { span in
                    span.traceID.high = UInt64(number + 1)
                    span.status = random.chance(2) ? 2 : 0
                    span.attributes = [
                        NewPair(key: "weir.cost.total", value: .string(Cost.text(Int64(amount) * 1_000_000)))
                    ]
                }
            }
            #expect(await sample.append(spans))
        }
        var (kept, counted, costed) = (0, 0.0, 0.0)
        try forEach(try await finish(sample)) { _, span, batch in
            let count = TraceState(batch.bytes(span.traceState))?.threshold?.adjustedCount ?? 0
            kept += 1
            counted += count
            if case .string(let text)? = batch.value(of: AttributeKey("weir.cost.total"), in: span.attributes) {
                costed += Double(GenAIAttributes.pico(text) ?? 0) / 1_000_000 * count
            }
        }
        #expect(kept < traces / 4)
        #expect(abs(counted / Double(traces) - 1) < 0.1)
        #expect(abs(costed / cost - 1) < 0.05)
    }
}
