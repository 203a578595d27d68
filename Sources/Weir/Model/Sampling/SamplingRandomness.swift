/// The 56 bits that every sampler of a trace compares with its threshold, so that all decide alike: `R` in
/// OpenTelemetry's tracestate-probability-sampling.
struct SamplingRandomness: BitwiseCopyable, Equatable, Sendable {
    static let mask: UInt64 = (1 << 56) - 1
    /// Digits of an explicit value.
    static let digits = 14

    static let most = SamplingRandomness(mask)

    /// At most ``mask``.
    let bits: UInt64

    /// Takes the lower 56 bits.
    init(_ bits: UInt64) {
        self.bits = bits & Self.mask
    }

    /// "The least-significant 56 bits of the TraceID as the source of randomness, as specified in W3C Trace Context
    /// Level 2."
    init(of span: SpanRecord) {
        self.init(span.traceIDLow)
    }

    /// An `rv` of a trace state; nil unless it is 14 hexadecimal digits.
    init?(text: UnsafeRawBufferPointer) {
        guard text.count == Self.digits, let bits = text.hexadecimalNumber else { return nil }
        self.init(bits)
    }
}
