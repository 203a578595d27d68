import Testing

@testable import Weir

@Suite struct SampledOutTests {
    static let receivedAt = Timestamp(nanoseconds: 1_700_000_001_000_000_000)

    private static func call(_ name: String = "chat") -> SpanFixture {
        var span = SpanFixture(
            ("gen_ai.operation.name", .string("chat")), ("gen_ai.request.model", .string("m-1")),
            ("gen_ai.usage.input_tokens", .int(100)), ("gen_ai.usage.output_tokens", .string("20")),
            ("weir.cost.total", .string("0.25")), ("gen_ai.input.messages", .string("a secret")),
            ("session.id", .string("s1")), ("gen_ai.response.time_to_first_chunk", .double(0.5)))
        span.name = name
        span.status = 2
        return span
    }

    private static func section(of batch: borrowing Batch) throws -> [UInt8] {
        var encoder = SampledOutEncoder()
        let bytes = encoder.encode(batch).map { Array($0) }
        return try #require(bytes)
    }

    private static func rollups(_ section: [UInt8]) throws -> [RollupRow.Key: RollupRow] {
        try section.withUnsafeBytes { bytes in
            var rows: [RollupRow.Key: RollupRow] = [:]
            try SampledOut.forEachRollup(in: bytes) { key, row in
                let key = RollupRow.Key(
                    minute: key.minute, tenantID: key.tenantID, operation: key.operation, kind: key.kind,
                    service: key.service.string, name: key.name.string, model: key.model.string)
                rows[key, default: RollupRow()].merge(row)
            }
            return rows
        }
    }

    @Test func addsUpEverySpanThatWasLeftOut() throws {
        var slow = SpanFixture()
        slow.endTime = slow.startTime + 3_000_000_000
        var batch = try SpanFixture.batch([SpanFixture(), Self.call(), slow, SpanFixture(), SpanFixture()])
        batch.receivedAt = Self.receivedAt
        for index in [1, 2, 3] { batch.sampleOut(span: index) }
        batch.drop(span: 4)
        #expect(batch.spanCount == 1 && batch.sampledOutSpanCount == 3)
        let section = try Self.section(of: batch)
        let rows = try Self.rollups(section)
        #expect(rows.count == 2)
        #expect(try section.withUnsafeBytes(SampledOut.spanCount) == 3)
        let minute: Int64 = 1_700_000_000 / 60
        let plain = try #require(
            rows[
                RollupRow.Key(
                    minute: minute, tenantID: 0, operation: .other, kind: 2, service: "shop", name: "GET /users",
                    model: "")])
        #expect(plain.spans == 2 && plain.errors == 0 && plain.duration == 3_500_000_000)
        var durations = DurationHistogram()
        durations.add(3_000_000_000)
        durations.add(500_000_000)
        #expect(plain.durations == durations)
        let call = try #require(
            rows[
                RollupRow.Key(
                    minute: minute, tenantID: 0, operation: .llm, kind: 2, service: "shop", name: "chat",
                    model: "m-1")])
        #expect(call.spans == 1 && call.errors == 1 && call.inputTokens == 100 && call.outputTokens == 20)
        #expect(call.totalCost == 250_000_000_000 && call.unpriced == 0)
    }

    @Test func keepsOfACallWhatUsageNeedsAndNoContent() throws {
        var batch = try SpanFixture.batch([Self.call(), SpanFixture()])
        batch.receivedAt = Self.receivedAt
        let rule = batch.addSamplingRule(AttributeKey("ui"))
        batch.sampleOut(span: 0, by: rule)
        batch.sampleOut(span: 1, by: rule)
        let section = try Self.section(of: batch)
        var stubs = try Batch(decoding: section)
        #expect(stubs.spans.count == 1)
        let span = try #require(stubs.spans.first)
        #expect(span.traceIDHigh == batch.spans[0].traceIDHigh && span.traceIDLow == batch.spans[0].traceIDLow)
        #expect(span.spanID == batch.spans[0].spanID && span.status == 2 && span.kind == 2)
        #expect(span.startTime == batch.spans[0].startTime && span.endTime == batch.spans[0].endTime)
        stubs.markAllDirty()
        #expect(
            Set(try stubs.attributesAfterExport(of: .span(0))) == [
                #"gen_ai.operation.name="chat""#, #"gen_ai.request.model="m-1""#, "gen_ai.usage.input_tokens=100",
                #"gen_ai.usage.output_tokens="20""#, #"weir.cost.total="0.25""#, #"session.id="s1""#,
                "gen_ai.response.time_to_first_chunk=0.5", #"weir.sampling.rule="ui""#,
            ])
        #expect(try stubs.attributesAfterExport(of: .resource(0)) == [#"service.name="shop""#])
    }

    /// A library whose cached tokens stand beside its input, which only its name tells.
    @Test func tokensOfWhatWasLeftOutMeanTheSame() throws {
        var span = Self.call()
        (span.scopeName, span.scopeVersion) = ("@arizeai/openinference-instrumentation-anthropic", "0.1.5")
        span.attributes.append(NewPair(key: "gen_ai.usage.cache_read.input_tokens", value: .int(90)))
        var batch = try SpanFixture.batch([span])
        batch.receivedAt = Self.receivedAt
        batch.sampleOut(span: 0)
        let section = try Self.section(of: batch)
        #expect(try Self.rollups(section).values.map(\.inputTokens) == [190])
        let stubs = try Batch(decoding: section)
        let made = HotRowsTests.Made()
        made.rows.add(stubs, sequence: 1, tenantID: 7)
        #expect(made.usage.map(\.inputTokens) == [190])
    }

    @Test func cutsWhatIsLongerThanTheTablesTake() throws {
        var span = Self.call(String(repeating: "n", count: 600))
        span.attributes[1] = NewPair(key: "gen_ai.request.model", value: .string(String(repeating: "ü", count: 400)))
        var batch = try SpanFixture.batch([span])
        batch.receivedAt = Self.receivedAt
        batch.sampleOut(span: 0)
        let section = try Self.section(of: batch)
        #expect(try Self.rollups(section).keys.first?.name.utf8.count == 512)
        #expect(try Self.rollups(section).keys.first?.model == String(repeating: "ü", count: 256))
        let stubs = try Batch(decoding: section)
        #expect(stubs.spans.count == 1 && section.count < 2_000)
    }

    @Test func twoBehindEachOtherAreBothTogether() throws {
        func section() throws -> [UInt8] {
            var batch = try SpanFixture.batch([Self.call()])
            batch.receivedAt = Self.receivedAt
            batch.sampleOut(span: 0)
            return try Self.section(of: batch)
        }
        let both = try section() + section()
        let stubs = try Batch(decoding: both)
        #expect(stubs.spans.count == 2)
        #expect(try Self.rollups(both).values.map(\.spans) == [2])
    }

    @Test func aSpanIsSampledOutOnceAndNotWhatWasDropped() throws {
        var batch = try SpanFixture.batch([SpanFixture(), SpanFixture()])
        batch.drop(span: 0)
        batch.sampleOut(span: 0)
        batch.sampleOut(span: 1)
        batch.sampleOut(span: 1)
        #expect(batch.sampledOutSpanCount == 1 && batch.spanCount == 0)
        batch.reset(to: .empty)
        #expect(batch.sampledOutSpanCount == 0)
    }

    @Test func aBrokenSectionIsAnError() throws {
        var batch = try SpanFixture.batch([Self.call()])
        batch.sampleOut(span: 0)
        let section = try Self.section(of: batch)
        #expect(throws: DecodeError.self) { try Self.rollups(Array(section.dropFirst(2))) }
    }

    @Test func rulesThatAreTooManyHaveNoName() throws {
        var batch = try SpanFixture.batch([SpanFixture()])
        let rules = (0...Batch.maxSamplingRules).map { _ in batch.addSamplingRule(AttributeKey("r")) }
        #expect(rules == (1...255) + [0])
    }

    @Test func countsWhatAKeptSpanStandsFor() throws {
        func count(_ traceState: String, _ attribute: NewValue? = nil) throws -> Double? {
            var span = SpanFixture()
            span.traceState = traceState
            if let attribute { span.attributes = [NewPair(key: "weir.sampling.adjusted_count", value: attribute)] }
            let batch = try SpanFixture.batch([span])
            return batch.adjustedCount(of: batch.spans[0])
        }
        #expect(try count("") == nil)
        #expect(try count("ot=th:c") == 4)
        #expect(try count("a=1,ot=rv:00000000000000") == nil)
        #expect(try count("broken") == nil)
        #expect(try count("ot=th:c", .double(10)) == 10)
        #expect(try count("ot=th:c", .double(0)) == 0)
        for nonsense in [NewValue.double(0.5), .double(.nan), .double(.infinity), .string("7"), .int(7)] {
            #expect(try count("ot=th:c", nonsense) == 4)
        }
    }
}
