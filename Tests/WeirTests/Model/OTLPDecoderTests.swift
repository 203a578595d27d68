import Testing

@testable import Weir

/// What the decoder makes of messages that are sound, compared with protobuf-c.
struct OTLPDecoderTests {
    @Test func readsWhatProtobufCPacks() throws {
        for seed in UInt64(0)..<1000 {
            var source = RandomTrace(seed: seed)
            let trace = source.trace()
            var writer = TraceWriter()
            let oracle = try #require(OracleRequest(writer.bytes(trace)), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
            let packed = oracle.packed
            let batch = try Batch(decoding: packed)
            try requireSame(Trace(batch), trace.known, seed: seed)
            try #require(batch.rejected.count == 0, "seed \(seed)")
            try #require(batch.spanCount == trace.spans.count, "seed \(seed)")
        }
    }

    @Test func readsFieldsInAnyOrderAndEncodingLikeProtobufC() throws {
        for seed in UInt64(0)..<1000 {
            var source = RandomTrace(seed: seed)
            let trace = source.trace()
            var writer = TraceWriter(.wild, seed: seed)
            let bytes = writer.bytes(trace)
            let oracle = try #require(OracleRequest(bytes), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
            let batch = try Batch(decoding: bytes)
            try requireSame(Trace(batch), trace.known, seed: seed)
            try #require(batch.rejected.count == 0, "seed \(seed)")
        }
    }

    @Test func mergesResourcesAndScopesThatStandInParts() throws {
        for seed in UInt64(0)..<1000 {
            var source = RandomTrace(seed: seed)
            let trace = source.trace()
            var style = TraceWriter.Style.plain
            style.splitsMessages = true
            style.padsVarints = seed % 2 == 0
            style.shufflesFields = seed % 3 == 0
            var writer = TraceWriter(style, seed: seed)
            var batch = try Batch(decoding: writer.bytes(trace))
            try requireSame(Trace(batch), trace.known, seed: seed)
            let clean = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(clean.trace, trace, seed: seed)
            // protobuf-c drops fields of the first part (it is not what it promises), so it is asked about what became
            // of both.
            batch.markAllDirty()
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
        }
    }

    @Test func keepsAnEmptyRequestEmpty() throws {
        let batch = try Batch(decoding: [])
        #expect(batch.spanCount == 0)
        #expect(batch.encoded.isEmpty)
    }

    @Test func readsTextWithNUL() throws {
        var span = RandomTrace.plainSpan
        span.name = Array("a\0b".utf8)
        span.attributes = [
            Trace.Attribute(key: Array("k\0".utf8), value: Trace.Value(member: .string(Array("\0".utf8))))
        ]
        let batch = try Batch(decoding: Trace(span).encoded)
        #expect(Trace(batch).spans == [span])
    }

    @Test func forgetsTheRequestBefore() throws {
        var batch = Batch()
        for seed in UInt64(0)..<50 {
            var source = RandomTrace(seed: seed)
            let trace = source.trace()
            var writer = TraceWriter()
            try OTLPDecoder().decode(.copying(writer.bytes(trace)), into: &batch)
            try requireSame(Trace(batch), trace.known, seed: seed)
            if let first = batch.spans.indices.first { batch.drop(span: first) }
        }
    }

    @Test func takesTheLastValueOfAnEnumThatStandsTwice() throws {
        // 3, then 300, which does not fit Weir's record: the span is of kind 300, so the record must not say 3.
        let bytes = Trace(RandomTrace.plainSpan).encoded(addingToSpan: [0x30, 3, 0x30, 0xAC, 0x02])
        var batch = try Batch(decoding: bytes)
        #expect(batch.spans[0].kind == 0)
        batch.markAllDirty()
        let oracle = try #require(OracleRequest(batch.encoded))
        #expect(oracle.trace.spans[0].kind == 300)
    }

    @Test func readsEnumsInThirtyTwoBits() throws {
        // A varint of an enum is cut to 32 bits: 2^32 + 3 is 3.
        let bytes = Trace(RandomTrace.plainSpan).encoded(addingToSpan: [0x30, 0x83, 0x80, 0x80, 0x80, 0x10])
        let oracle = try #require(OracleRequest(bytes))
        let batch = try Batch(decoding: bytes)
        #expect(oracle.trace.spans[0].kind == 3)
        #expect(batch.spans[0].kind == 3)
    }
}

extension RandomTrace {
    /// Just what a span must have.
    static var plainSpan: Trace.Span {
        Trace.Span(
            traceID: Array(1...16), spanID: Array(1...8), name: Array("plain".utf8), start: 1_000, end: 2_000)
    }
}

extension Trace {
    /// One resource with one scope with these spans.
    init(_ spans: Span...) {
        groups = [ResourceGroup(resource: Resource(), scopes: [ScopeGroup(scope: Scope(), spans: spans)])]
    }

    var encoded: [UInt8] {
        var writer = TraceWriter()
        return writer.bytes(self)
    }

    /// With these bytes at the end of the first span.
    func encoded(addingToSpan bytes: [UInt8]) -> [UInt8] {
        var writer = TraceWriter()
        return Trace.request(spans: [writer.bytes(spans[0]) + bytes])
    }

    /// A request with spans that are encoded already.
    static func request(spans: [[UInt8]]) -> [UInt8] {
        let scope = spans.flatMap { span -> [UInt8] in [0x12] + delimited(span) }
        let group: [UInt8] = [0x0A, 0x00, 0x12] + delimited([0x0A, 0x00] + scope)
        return [0x0A] + delimited(group)
    }

    static func delimited(_ body: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = body.count
        while rest >= 0x80 {
            length.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + body
    }
}
