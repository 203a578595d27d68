/// The keys of `sampling`.
struct SamplingConfiguration: Configurable {
    static let maximumRules = 64

    /// The first that is for a span decides.
    let rules: [SamplingRule]
    let hashSeed: UInt32

    var traits: ProcessorTraits {
        rules.contains { $0.condition != nil } ? [.samplesOut, .splitsTraces] : .samplesOut
    }

    var askedKeys: [AttributeKey] {
        rules.flatMap { ($0.condition?.expression.keys ?? []) + [$0.key].compactMap(\.self) }
    }

    init(_ fields: inout Fields) throws(ConfigError) {
        let precision = fields.int(
            "sampling_precision", default: SamplingThreshold.defaultPrecision, in: 1...SamplingThreshold.digits,
            "Hexadecimal digits of the thresholds.")
        hashSeed = UInt32(
            fields.int(
                "hash_seed", default: 0, in: 0...Int(UInt32.max),
                "What the hashes of the values of key begin with; the same in all replicas."))
        rules = fields.list("rules", count: 1...Self.maximumRules, "The first that is for a span decides.") {
            SamplingRule(&$0, precision: precision)
        }
        var names: Set<String> = []
        for (index, rule) in rules.enumerated() where !rule.name.isEmpty && !names.insert(rule.name).inserted {
            fields.reject("rules[\(index)].name", "found \(rule.name.quotedForMessage) a second time, wanted it once")
        }
    }
}
