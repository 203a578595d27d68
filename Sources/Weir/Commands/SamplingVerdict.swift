/// What a sampler of a configuration would make of a trace.
struct SamplingVerdict: Equatable {
    enum Outcome: String {
        case kept, sampledOut = "sampled_out", unknown
    }

    /// The sampler, as the configuration names it.
    let processor: String
    /// Empty where the sampler has no rules.
    let rule: String
    let probability: Double
    let threshold: SamplingThreshold
    let outcome: Outcome
    /// By what else than the trace it is decided.
    var key: String?

    /// All rules of all samplers, in the order in which a span meets them.
    /// - Parameter randomness: of the trace.
    static func all(
        in configuration: CollectorConfiguration, traceID: TraceID, randomness: SamplingRandomness
    ) -> [SamplingVerdict] {
        var seen: Set<ComponentID> = []
        let ids = configuration.service.pipelines.flatMap(\.processors).filter { seen.insert($0).inserted }
        return ids.flatMap { id -> [SamplingVerdict] in
            let definition = configuration.processors.first { $0.id == id }
            switch definition?.configuration {
            case let sampling as SamplingConfiguration:
                return sampling.rules.map { rule in
                    SamplingVerdict(
                        processor: id.description, rule: rule.name, threshold: rule.threshold,
                        by: rule.key == nil ? randomness : nil, key: rule.key?.text)
                }
            case let sampler as ProbabilisticSamplerConfiguration:
                return [verdict(of: sampler, id, traceID, randomness)]
            default: return []
            }
        }
    }

    /// - Parameter randomness: nil where it is not the trace's.
    private init(
        processor: String, rule: String, threshold: SamplingThreshold, by randomness: SamplingRandomness?,
        key: String? = nil
    ) {
        self.processor = processor
        self.rule = rule
        self.threshold = threshold
        self.key = key
        probability = threshold.probability
        if threshold == .always || threshold == .never {
            outcome = threshold == .always ? .kept : .sampledOut
        } else {
            outcome = randomness.map { threshold.keeps($0) ? .kept : .sampledOut } ?? .unknown
        }
    }

    private static func verdict(
        of sampler: ProbabilisticSamplerConfiguration, _ id: ComponentID, _ traceID: TraceID,
        _ randomness: SamplingRandomness
    ) -> SamplingVerdict {
        var randomness = randomness
        if sampler.mode == .hashSeed {
            let span = SpanRecord(traceIDHigh: traceID.high, traceIDLow: traceID.low)
            randomness = TraceIDHash.randomness(of: span, seed: sampler.hashSeed)
        }
        return SamplingVerdict(processor: id.description, rule: "", threshold: sampler.threshold, by: randomness)
    }
}
