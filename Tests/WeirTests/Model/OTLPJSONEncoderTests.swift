import Testing

@testable import Weir

/// What the JSON encoder writes, read by Foundation and by Weir's own decoder.
struct OTLPJSONEncoderTests {
    @Test func writesWhatFoundationReads() throws {
        for seed in UInt64(0)..<250 {
            var (trace, bytes) = OTLPEncoderTests.request(seed)
            trace.forgetPayloadsOfNaN()
            let json = encoded(try Batch(decoding: bytes))
            try requireSame(try Trace(json: json), trace.known, seed: seed)
        }
    }

    @Test func writesWhatItsOwnDecoderReads() throws {
        for seed in UInt64(0)..<800 {
            var (trace, bytes) = OTLPEncoderTests.request(seed)
            trace.forgetPayloadsOfNaN()
            let json = encoded(try Batch(decoding: bytes))
            let again = try Batch(decodingJSON: json)
            try #require(again.rejected == Rejections(), "seed \(seed)")
            try requireSame(Trace(again), trace.known, seed: seed)
            try #require(encoded(again) == json, "seed \(seed)")
        }
    }

    @Test func leavesOutWhatIsNoLongerInTheBatch() throws {
        for seed in UInt64(0)..<300 {
            let (_, bytes) = OTLPEncoderTests.request(seed)
            var batch = try Batch(decoding: bytes)
            for index in batch.spans.indices where index % 2 == 0 { batch.drop(span: index) }
            for index in batch.attributes.indices where index % 3 == 0 {
                batch.arena.pointee.attributes[index].isRemoved = true
            }
            batch.markAllDirty()
            // Both encodings of what is left say the same.
            var left = Trace(try Batch(decoding: batch.encoded))
            left.forgetPayloadsOfNaN()
            try requireSame(try Trace(json: encoded(batch)), left, seed: seed)
        }
    }

    private func encoded(_ batch: borrowing Batch) -> [UInt8] {
        var encoder = OTLPJSONEncoder(capacity: 64)
        return Array(encoder.bytes(of: batch))
    }
}
