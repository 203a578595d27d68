import Testing

@testable import Weir

/// What was not kept, called back.
@Suite struct RecallTests {
    private let directory: TemporaryDirectory
    private let requests: RecallRequests

    init() throws {
        directory = try TemporaryDirectory()
        requests = RecallRequests(directory.path + "/recall")
    }

    private func sample(
        _ further: String = "", on disk: SimulatedDisk, tombstones: Tombstones? = nil
    ) throws -> StageSample {
        let configuration = try TailSamplingConfiguration(
            policies: "{ name: errors, type: status_code, status_code: { status_codes: [ERROR] } }",
            """
            decision_wait: 500ms
            decision_wait_after_root_received: 10ms
            recall: { directory: "\(directory.path)/recall", max_bytes: 16MiB\(further) }
            """)
        let sample = try StageSample(configuration, on: disk, directory: directory.path, tombstones: tombstones)
        sample.start()
        return sample
    }

    private func span(_ trace: UInt64, _ id: UInt64, _ change: (inout SpanFixture) -> Void = { _ in }) -> SpanFixture {
        var span = SpanFixture()
        span.traceID = (1, trace)
        span.spanID = id
        span.name = "span \(id)"
        change(&span)
        return span
    }

    private func decide(_ sample: StageSample, _ spans: [SpanFixture], of tenant: String = "t") async throws {
        let before = sample.recalled
        #expect(await sample.append(spans, of: tenant))
        try await eventually("it is decided and gone on") {
            sample.first.unsettled(0) == Load() && sample.recalled > before
        }
    }

    private func ask(
        _ wish: RecallRequests.Wish, _ token: String, of tenant: String? = nil
    ) async throws -> RecallRequests.Answer {
        #expect(try requests.ask(.init(token: token, wish: wish, tenant: tenant)))
        try await eventually("there is an answer") { try requests.answer(to: token) != nil }
        return try #require(try requests.answer(to: token))
    }

    private func ids(_ records: [JournalRecord]) throws -> [UInt64] {
        var ids: [UInt64] = []
        for record in records {
            var batch = Batch()
            try OTLPDecoder().decode(record.payload, into: &batch)
            for span in batch.spans {
                ids.append(span.spanID)
                guard record.section.value(of: .promoted) != nil else { continue }
                let rule = batch.value(of: Batch.samplingRule, in: span.attributes)
                guard case .string(let text)? = rule else {
                    Issue.record("found no rule")
                    continue
                }
                #expect(String(decoding: text, as: UTF8.self) == "promoted")
                // What was kept stands for it already.
                #expect(batch.text(span.traceState) == "a=1")
                #expect(batch.adjustedCount(of: span) == 0)
            }
        }
        return ids
    }

    @Test func aTraceIsCalledBackOnce() async throws {
        let disk = SimulatedDisk(seed: 1)
        let sample = try sample(on: disk)
        try await decide(
            sample, [span(1, 1) { $0.traceState = "a=1,ot=th:8" }, span(2, 2), span(3, 3) { $0.status = 2 }])
        #expect(try ids(await sample.take()) == [3])
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "a") == .init(traces: 1, spans: 1))
        #expect(try ids(await sample.take()) == [1])
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "b") == .init())
        #expect(try await ask(.trace(TraceID(high: 9, low: 9)), "c") == .init())
        await sample.stop()
        // What was called back is known to the next one.
        let next = try self.sample(on: disk)
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "d") == .init())
        await next.stop()
        #expect(await next.take().isEmpty)
    }

    @Test func aConditionCallsWholeTracesBackAlsoAfterARestart() async throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try sample(on: disk)
        func plain(_ trace: UInt64, _ id: UInt64) -> SpanFixture { span(trace, id) { $0.traceState = "a=1" } }
        try await decide(first, [plain(1, 1), plain(2, 2)])
        try await decide(first, [plain(1, 3), plain(4, 4)])
        await first.stop()
        let second = try sample(on: disk)
        #expect(try await ask(.condition("name == \"span 1\""), "a") == .init(traces: 1, spans: 2))
        #expect(try await ask(.condition("this is none"), "b") == .init())
        await second.stop()
        #expect(try ids(await second.take()).sorted() == [1, 3])
    }

    @Test func aTraceIsCalledBackForTheTenantThatIsMeant() async throws {
        let sample = try sample(on: SimulatedDisk(seed: 1))
        let one = RecallRequests.Wish.trace(TraceID(high: 1, low: 1))
        func plain(_ trace: UInt64, _ id: UInt64) -> SpanFixture { span(trace, id) { $0.traceState = "a=1" } }
        for (id, tenant) in [(1, "shop"), (2, "bank"), (3, "farm")] as [(UInt64, String)] {
            try await decide(sample, [plain(1, id), plain(2, id + 10)], of: tenant)
        }
        #expect(try await ask(one, "a", of: "nobody") == .init())
        #expect(try await ask(one, "b", of: "bank") == .init(traces: 1, spans: 1))
        #expect(try await ask(one, "c") == .init(traces: 2, spans: 2))
        // What matches a span of one tenant is no reason to call back another's.
        #expect(try await ask(.condition("name == \"span 12\""), "d", of: "shop") == .init())
        #expect(try await ask(.condition("name == \"span 12\""), "e") == .init(traces: 1, spans: 1))
        await sample.stop()
        let found = await sample.take()
        #expect(try ids(found) == [2, 1, 3, 12])
        #expect(found.filter { $0.spanCount > 0 }.map(\.tenant) == ["bank", "shop", "farm", "bank"])
    }

    @Test func whoAsksWhileOthersAreAnsweredGoesOnWaiting() throws {
        let late = RecallRequests.Request(token: "late", wish: .condition("name == \"a\""))
        #expect(try requests.ask(.init(token: "early", wish: .trace(TraceID(high: 1, low: 1)))))
        #expect(try requests.waiting().map(\.token) == ["early"])
        #expect(try requests.ask(late))
        try requests.answer("early", with: .init(traces: 1, spans: 1))
        #expect(try requests.waiting() == [late])
        try requests.answer("late", with: .init())
        #expect(try requests.waiting().isEmpty)
        #expect(try requests.answer(to: "early") == .init(traces: 1, spans: 1))
    }

    /// The file of questions goes when all are answered, and who sees the last answer may ask at once.
    @Test func noQuestionIsLostWhileTheOnesBeforeItGo() async throws {
        let path = directory.path + "/recall"
        let answering = Task.detached {
            let requests = RecallRequests(path)
            while !Task.isCancelled {
                for request in try requests.waiting() { try requests.answer(request.token, with: .init(spans: 1)) }
                await Task.yield()
            }
        }
        defer { answering.cancel() }
        for round in 0..<200 {
            let token = "\(round)"
            #expect(try requests.ask(.init(token: token, wish: .trace(TraceID(high: 1, low: 1)))))
            try await eventually("\(token) is answered") { try requests.answer(to: token) != nil }
        }
    }

    @Test func whatWasBegunIsKnownThoughTheAnswersAreFull() throws {
        for token in ["a", "b", "c"] {
            #expect(try requests.ask(.init(token: token, wish: .trace(TraceID(high: 1, low: 1)))))
        }
        try requests.begin(try #require(try requests.waiting().first))
        let answers = LineFile("answers", in: directory.path + "/recall")
        let line = Array("old 1 1\n".utf8)
        try answers.append((0..<RecallRequests.maxBytes / line.count - 1).flatMap { _ in line })
        try requests.begin(try #require(try requests.waiting().last))
        #expect(try requests.waiting().map(\.wasBegun) == [true, false, true])
        try requests.answer("a", with: .init(traces: 1, spans: 2))
        #expect(try requests.waiting().map(\.token) == ["b", "c"])
        #expect(try requests.answer(to: "a") == .init(traces: 1, spans: 2))
        // Who was answered just before may not have looked.
        #expect(try requests.answer(to: "old") == .init(traces: 1, spans: 1))
    }

    /// Spans may have waited for longer than that until it was decided that they are left out.
    @Test func theirAgeCountsFromWhenTheyWereLeftOut() async throws {
        let sample = try sample(", max_age: 10s", on: SimulatedDisk(seed: 1))
        let payload = SpanFixture.request([span(1, 1) { $0.traceState = "a=1" }])
        let old = Timestamp(nanoseconds: Timestamp.now().nanoseconds - 3_600_000_000_000)
        _ = try await sample.first.append(JournalEntry(tenant: "t", receivedAt: old, spanCount: 1, payload: payload))
        try await eventually("it is decided and gone on") { sample.recalled > 0 }
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "a") == .init(traces: 1, spans: 1))
        await sample.stop()
        let promoted = await sample.take().filter { $0.section.value(of: .promoted) != nil }
        #expect(promoted.map(\.receivedAt) == [old])
    }

    @Test func whatIsTooOldIsNotFound() async throws {
        let ring = try ring(", max_age: 10s")
        let running = Task { await ring.run() }
        let now = Timestamp.now()
        #expect(await ring.add(entry(of: .zeros(100)), at: now))
        func found(after seconds: UInt64) async throws -> Int {
            try await ring.read(from: ring.first, at: now.advanced(by: seconds * 1_000_000_000)).records.count
        }
        #expect(try await found(after: 10) == 1)
        #expect(try await found(after: 11) == 0)
        ring.close()
        running.cancel()
        await running.value
    }

    @Test func aRecordThatCannotBeReadKeepsNobodyWaiting() async throws {
        func good(_ id: UInt64) -> Payload { SpanFixture.request([span(1, id) { $0.traceState = "a=1" }]) }
        try await leaveOut([good(1), .zeros(100), good(2)])
        let sample = try sample(on: SimulatedDisk(seed: 1))
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "a") == .init(traces: 1, spans: 2))
        #expect(try await ask(.condition("name == \"span 2\""), "b") == .init())
        await sample.stop()
        #expect(try ids(await sample.take()) == [1, 2])
    }

    /// Weir was killed between what it did and its answer.
    @Test func aWishThatWasCarriedOutIsAnsweredAfterTheNextStart() async throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try sample(on: disk)
        try await decide(first, [span(1, 1) { $0.traceState = "a=1" }, span(2, 2)])
        let wish = RecallRequests.Wish.trace(TraceID(high: 1, low: 1))
        #expect(try await ask(wish, "a") == .init(traces: 1, spans: 1))
        #expect(try ids(await first.take()) == [1])
        await first.stop()
        let again = RecallRequests.Request(token: "b", wish: wish)
        #expect(try requests.ask(again))
        try requests.begin(again)
        #expect(try requests.waiting().map(\.wasBegun) == [true])
        let second = try sample(on: disk)
        try await eventually("there is an answer") { try requests.answer(to: "b") != nil }
        #expect(try requests.answer(to: "b") == .init(traces: 1, spans: 1))
        await second.stop()
        #expect(await second.take().isEmpty)
    }

    @Test func withoutAPlaceForTheRingTracesAreDecidedAllTheSame() async throws {
        try Directory.replace(directory.path + "/recall", with: [])
        let sample = try sample(on: SimulatedDisk(seed: 1))
        #expect(await sample.append([span(1, 1), span(2, 2) { $0.status = 2 }]))
        try await eventually("it is decided and gone on") { sample.first.unsettled(0) == Load() }
        #expect(sample.complaints.first?.hasPrefix("tail_sampling of traces: there is no recall: ") == true)
        #expect(try ids(await sample.take()) == [2])
        // There is one as soon as that works.
        try Directory.removeFile(directory.path + "/recall")
        try await eventually("it says so no more") { sample.complaints.isEmpty }
        try await decide(sample, [span(3, 3) { $0.traceState = "a=1" }])
        #expect(try await ask(.trace(TraceID(high: 1, low: 3)), "a") == .init(traces: 1, spans: 1))
        await sample.stop()
        #expect(try ids(await sample.take()) == [3])
    }

    @Test func aRingThatCannotBeWrittenHoldsNothingElseUp() async throws {
        let disk = SimulatedDisk(seed: 1)
        let sample = try sample(on: disk)
        try await decide(sample, [span(1, 1) { $0.traceState = "a=1" }])
        // Nothing can be written there.
        let promoted = directory.path + "/recall/promoted"
        try Directory.create(promoted)
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "a") == .init(traces: 1, spans: 1))
        try await eventually("it says so") {
            sample.complaints.first?.contains("what was called back cannot be written down: ") == true
        }
        #expect(await sample.append([span(2, 2) { $0.status = 2 }]))
        try await eventually("the second journal lets go") {
            sample.first.unsettled(0) == Load() && sample.second.unsettled(1) == Load()
        }
        #expect(try ids(await sample.take()) == [1, 2])
        try Directory.remove(promoted)
        try await eventually("it says so no more") { sample.complaints.isEmpty }
        await sample.stop()
        // It was written down then.
        let next = try self.sample(on: disk)
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "b") == .init())
        await next.stop()
    }

    /// As after a reload that gives a pipeline another name: the old stage ends once the new one runs.
    @Test func aRingThatSomebodyElseHasIsTakenOnceItIsFree() async throws {
        var other: RecallRing? = try ring()
        let sample = try sample(on: SimulatedDisk(seed: 1))
        try await eventually("it says so") {
            sample.complaints.first?.contains("there is no recall: another process uses ") == true
        }
        withExtendedLifetime(other) {}
        other = nil
        try await eventually("it has it") { sample.complaints.isEmpty }
        try await decide(sample, [span(1, 1) { $0.traceState = "a=1" }])
        #expect(try await ask(.trace(TraceID(high: 1, low: 1)), "a") == .init(traces: 1, spans: 1))
        await sample.stop()
    }

    @Test func whoWasErasedIsNeitherLeftOutIntoTheRingNorCalledBackFromIt() async throws {
        let tombstones = Tombstones(directory.path + "/erasures")
        try await tombstones.refresh()
        let sample = try sample(on: SimulatedDisk(seed: 1), tombstones: tombstones)
        func span(_ trace: UInt64, _ id: UInt64, of user: String) -> SpanFixture {
            self.span(trace, id) {
                $0.traceState = "a=1"
                $0.attributes = [NewPair(key: "user.id", value: .string(user))]
            }
        }
        try await decide(sample, [span(1, 1, of: "maria"), span(2, 2, of: "bob")])
        #expect(sample.recalled == 2)
        var register = try ErasureRegister(directory.path + "/erasures")
        let hash = register.hash(of: SubjectFamily(of: "user.id"), tenant: "t")
        try register.append(at: .now()) { _ in
            var entry = ErasureEntry(.request, id: "1")
            (entry.tenant, entry.attribute) = ("t", "user.id")
            entry.names = [hash.digest(of: Array("maria".utf8))]
            return entry
        }
        try await tombstones.refresh()
        try await decide(sample, [span(3, 3, of: "maria"), span(4, 4, of: "bob")])
        #expect(sample.recalled == 3)
        #expect(try await ask(.condition("name == \"span 1\""), "a") == .init())
        #expect(try await ask(.condition("name != \"none\""), "b") == .init(traces: 2, spans: 2))
        await sample.stop()
        #expect(try ids(await sample.take()).sorted() == [2, 4])
    }

    private func ring(_ further: String = "", leaving reserve: Int = 0) throws -> RecallRing {
        let recall = try TailSamplingConfiguration(
            policies: "{ name: a, type: always_sample }",
            "recall: { directory: \"\(directory.path)/recall\", max_bytes: 16MiB\(further) }"
        ).recall
        return try RecallRing(
            try #require(recall), beside: directory.path, leaving: reserve, DeliverySample().log.logger)
    }

    /// What an earlier process has put into the ring.
    private func leaveOut(_ payloads: [Payload]) async throws {
        let ring = try ring()
        let running = Task { await ring.run() }
        for payload in payloads { #expect(await ring.add(entry(of: payload), at: .now())) }
        ring.close()
        running.cancel()
        await running.value
    }

    private func entry(of payload: Payload) -> JournalEntry {
        JournalEntry(tenant: "t", receivedAt: .now(), spanCount: 1, payload: payload)
    }

    /// Bytes of segments, the next one among them.
    private func ringBytes() throws -> Int {
        let ring = directory.path + "/recall/ring"
        return try Directory.names(in: ring).filter { $0.hasSuffix(".seg") }.reduce(0) { bytes, name in
            // It may go between the list and the look.
            bytes + ((try? Directory.size(ofFile: "\(ring)/\(name)")) ?? 0)
        }
    }

    @Test func whereTheDiskIsShortTheOldestMakesWayForOthers() async throws {
        try await leaveOut((0..<50).map { .zeros(100_000 + $0) })
        #expect(try ringBytes() >= 5 << 20)
        // More than any disk has.
        let short = try ring(leaving: 1 << 60)
        let running = Task { await short.run() }
        let load = short.load
        short.makeRoom()
        try await eventually("others have the room") { try ringBytes() <= 2 << 20 }
        // What is written to stays.
        #expect((1..<20).contains(short.load.records) && short.load.records < load.records)
        // It takes what it has room for, and nothing that others want.
        for number in 0..<50 { _ = await short.add(entry(of: .zeros(100_000 + number)), at: .now()) }
        #expect(try ringBytes() <= 2 << 20)
        short.makeRoom()
        try await eventually("that makes way too") { try ringBytes() <= 1 << 20 }
        short.close()
        running.cancel()
        await running.value
    }

    @Test func whatFillsSlowlyGoesByAgeToo() async throws {
        let ring = try ring()
        let running = Task { await ring.run() }
        #expect(await ring.add(entry(of: .zeros(100)), at: .now()))
        let later = Timestamp.now().advanced(by: 2 * 86_400_000_000_000)
        await ring.expire(at: later)
        #expect(ring.load.records == 1)
        // A new segment was begun, and by now that is older than what may be kept.
        await ring.expire(at: later)
        #expect(ring.load.records == 0)
        ring.close()
        running.cancel()
        await running.value
    }

    @Test func theRingStaysWithinItsSize() async throws {
        let ring = try ring()
        let running = Task { await ring.run() }
        for number in 0..<400 {
            #expect(await ring.add(entry(of: .zeros(100_000 + number)), at: .now()))
        }
        ring.close()
        running.cancel()
        await running.value
        let names = try Directory.names(in: directory.path + "/recall/ring")
        let bytes = try names.reduce(0) { try $0 + Directory.size(ofFile: "\(directory.path)/recall/ring/\($1)") }
        #expect(bytes <= 16 << 20)
        #expect(bytes > 8 << 20)
    }
}
