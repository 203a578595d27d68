import Testing

@testable import Weir

/// What the encoder writes, read by protobuf-c.
struct OTLPEncoderTests {
    @Test func handsOutTheBytesOfAnUntouchedRequest() throws {
        for seed in UInt64(0)..<200 {
            let (_, bytes) = Self.request(seed)
            let batch = try Batch(decoding: bytes)
            var encoder = OTLPEncoder()
            let payload = encoder.encode(batch) ?? .empty
            try #require(Array(payload.bytes) == bytes, "seed \(seed)")
        }
    }

    @Test func copiesUntouchedSpansByteForByte() throws {
        for seed in UInt64(0)..<200 {
            let (trace, bytes) = Self.request(seed)
            let batch = try Batch(decoding: bytes)
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
            for span in batch.spans {
                let wire = Array(batch.bytes(span.wire))
                try #require(batch.encoded.contains(wire), "seed \(seed)")
            }
        }
    }

    @Test func writesTouchedRecordsWithAllTheyHad() throws {
        for seed in UInt64(0)..<1000 {
            let (trace, bytes) = Self.request(seed)
            var batch = try Batch(decoding: bytes)
            batch.markAllDirty()
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
        }
    }

    @Test func writesAttributesFromTheirRecords() throws {
        for seed in UInt64(0)..<1000 {
            let (trace, bytes) = Self.request(seed)
            var batch = try Batch(decoding: bytes)
            batch.markAllDirty(attributesToo: true)
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            // A value that was set is all that its attribute then holds; inside lists, bytes are kept.
            var expected = trace
            expected.forEachAttribute { $0.keepWhatARecordHolds() }
            try requireSame(oracle.trace, expected, seed: seed)
        }
    }

    @Test func decodesWhatItEncodes() throws {
        for seed in UInt64(0)..<500 {
            let (trace, bytes) = Self.request(seed)
            var batch = try Batch(decoding: bytes)
            batch.markAllDirty(attributesToo: true)
            let again = try Batch(decoding: batch.encoded)
            try requireSame(Trace(again), trace.known, seed: seed)
            try #require(again.encoded == batch.encoded, "seed \(seed)")
        }
    }

    @Test func whatItHandsOutStaysAsItIs() throws {
        var encoder = OTLPEncoder()
        var other = OTLPEncoder()
        var handedOut: [(payload: Payload, bytes: [UInt8])] = []
        for seed in UInt64(0)..<300 {
            var batch = try Batch(decoding: Self.request(seed).1)
            batch.markAllDirty()
            // Some fill the room that was made for them, others leave nearly all of it.
            if seed % 3 == 0 { for index in batch.spans.indices.dropFirst() { batch.drop(span: index) } }
            let payload = encoder.encode(batch)
            handedOut.append((try #require(payload, "seed \(seed)"), Array(other.bytes(of: batch))))
        }
        for (seed, (payload, bytes)) in handedOut.enumerated() {
            try #require(Array(payload.bytes) == bytes, "seed \(seed)")
            let slack = UnsafeRawBufferPointer(start: payload.base + payload.count, count: Payload.slack)
            try #require(slack.allSatisfy { $0 == 0 }, "seed \(seed)")
        }
    }

    /// However much room was made for it.
    @Test func aRequestOverTheLimitIsNotHandedOut() throws {
        let text = String(repeating: "x", count: 1_000)
        let span = SpanFixture(("text", .string(text)))
        for count in 1...40 {
            var batch = try SpanFixture.batch(Array(repeating: span, count: count))
            batch.markAllDirty()
            let size = batch.encoded.count
            for (limit, isWritten) in [(size, true), (size - 1, false), (size * 2 / 3, false)] {
                var encoder = OTLPEncoder(capacity: 64, limit: limit)
                // Texts that spans share make more than they came with.
                let bytes = encoder.encode(batch)?.count
                #expect(bytes == (isWritten ? size : nil), "\(count) spans, \(limit)")
            }
        }
    }

    /// A random trace and its bytes: plain for even seeds, oddly encoded for odd ones.
    static func request(_ seed: UInt64) -> (Trace, [UInt8]) {
        var source = RandomTrace(seed: seed)
        let trace = source.trace()
        var writer = TraceWriter(seed % 2 == 0 ? .plain : .wild, seed: seed)
        return (trace, writer.bytes(trace))
    }
}

extension Trace.Attribute {
    mutating func keepWhatARecordHolds() {
        unknown = []
        keyIndex = 0
        var held = value ?? Trace.Value()
        held.unknown = []
        if case .index = held.member { held.member = .empty }
        value = held
    }
}

extension [UInt8] {
    func contains(_ other: [UInt8]) -> Bool {
        guard let first = other.first else { return true }
        return indices.contains { self[$0] == first && self[$0...].starts(with: other) }
    }
}
