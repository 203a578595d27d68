/// By what the OpenTelemetry Collector's mode `hash_seed` chooses traces: 14 bits of FNV-1a over a seed and the trace
/// id, made into a randomness with which every consistent sampler decides alike.
enum TraceIDHash {
    private static let bits: UInt64 = 14
    private static let buckets: UInt64 = 1 << bits

    static func randomness(of span: SpanRecord, seed: UInt32) -> SamplingRandomness {
        // Fowler, Noll and Vo's parameters for 32 bits.
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        for shift in stride(from: UInt32(0), to: 32, by: 8) { add(UInt8(truncatingIfNeeded: seed >> shift)) }
        for half in [span.traceIDHigh, span.traceIDLow] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) { add(UInt8(truncatingIfNeeded: half >> shift)) }
        }
        // A trace was kept where these bits were below a number; turned around, it is where they are not below one.
        let low = UInt64(hash) % buckets
        let rest = UInt64(hash) >> (32 - bits)
        return SamplingRandomness((buckets - 1 - low) << 42 | (rest ^ rest << 10) << bits | low)
    }

    /// - Parameter percentage: 0...100.
    static func threshold(percentage: Float) -> SamplingThreshold {
        let kept = UInt64(percentage * (Float(buckets) / 100))
        return kept == 0 ? .never : SamplingThreshold(rejecting: (buckets - min(kept, buckets)) << 42)
    }
}
