/// The keys of `probabilistic_sampler`: the OpenTelemetry Collector's.
struct ProbabilisticSamplerConfiguration: Configurable {
    enum Mode: String, CaseIterable, Sendable {
        case hashSeed = "hash_seed"
        case proportional
        case equalizing
    }

    /// 0...100. The Collector keeps it in 32 bits, and so what is made of it is the same.
    let percentage: Float
    let mode: Mode
    let hashSeed: UInt32
    let failsClosed: Bool
    let precision: Int

    var traits: ProcessorTraits { .samplesOut }

    init(_ fields: inout Fields) throws(ConfigError) {
        let given = fields.number(
            "sampling_percentage", default: 0, in: 0...1_000_000,
            "How many of a hundred traces are kept; 100 and more is all, 0 none.")
        if given > 0, given / 100 < 0x1p-56 {
            fields.reject("sampling_percentage", "found \(given), wanted 0 or at least 1.4e-15")
        }
        percentage = Float(min(given, 100))
        mode = fields.choice(
            "mode", default: .hashSeed,
            "By what a trace is chosen: a hash of its id, or as OpenTelemetry's consistent sampling does.")
        hashSeed = UInt32(
            fields.int("hash_seed", default: 0, in: 0...Int(UInt32.max), "What mode hash_seed begins the hash with."))
        failsClosed = fields.bool(
            "fail_closed", default: true,
            "Whether a span about whose trace state something is wrong is sampled out, or else kept.")
        precision = fields.int(
            "sampling_precision", default: SamplingThreshold.defaultPrecision, in: 1...SamplingThreshold.digits,
            "Hexadecimal digits of the threshold, but for mode hash_seed, which has 14 bits.")
        for key in ["attribute_source", "from_attribute", "sampling_priority"] {
            fields.ignore(key, "it is for logs; spans are chosen by their trace ids")
        }
    }

    /// The part that is kept, from 0 to 1.
    var ratio: Double { Double(percentage) / 100 }

    /// Of a trace that nobody has sampled before.
    var threshold: SamplingThreshold {
        mode == .hashSeed
            ? TraceIDHash.threshold(percentage: percentage)
            : SamplingThreshold(probability: ratio, precision: precision)
    }
}
